/* The state file of an account's tokens, and the answer of the token URL. */
#include "fuzz.h"

#include <string.h>

#include "infusionsoft/token_pair.h"

const struct fuzz_target fuzz_target = {"token", 1};

static void check_token(const char *token)
{
    fuzz_check(token[0] != '\0' && strlen(token) <= TOKEN_BYTES_MAX);
    fuzz_check(strpbrk(token, " \r\n\t") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    yyjson_doc *doc = yyjson_read((const char *)data, size, 0);
    struct token_pair pair;

    if (token_pair_of_state(yyjson_doc_get_root(doc), &pair) == 0) {
        check_token(pair.access);
        check_token(pair.refresh);
    }
    if (token_pair_of_answer(yyjson_doc_get_root(doc), 1790000000000, &pair) == 0) {
        check_token(pair.access);
        check_token(pair.refresh);
        fuzz_check(pair.refresh_at_ms >= 1790000000000 && pair.refresh_at_ms <= pair.expires_at_ms);
    }
    yyjson_doc_free(doc);
    return 0;
}
