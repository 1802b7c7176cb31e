/* The address of a Redis server, as a setting spells it. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "settings/redis_url.h"

const struct fuzz_target fuzz_target = {"url", 0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    struct redis_url url = {0};
    struct error err = {0};

    if (redis_url_parse(&url, text, &err) == 0)
        fuzz_check((url.host != NULL) != (url.path != NULL));
    else
        fuzz_check(err.kind == ERROR_PERMANENT && err.text[0] != '\0');
    redis_url_clear(&url);
    free(text);
    return 0;
}
