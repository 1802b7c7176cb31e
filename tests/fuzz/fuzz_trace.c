/* The header traceparent of a record. */
#include "fuzz.h"

#include <string.h>

#include "record/trace.h"

const struct fuzz_target fuzz_target = {"trace", 0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct text header = {(const char *)data, size};
    struct text id = trace_id(header);
    char next[TRACE_BYTES] = "";

    fuzz_check((id.data != NULL) == (trace_continue(next, header, text_of("filter")) == 0));
    if (id.data == NULL) {
        fuzz_check(next[0] == '\0');
        return 0;
    }
    /* What is passed on is always well-formed, and keeps the id. */
    fuzz_check(strlen(next) == TRACE_LENGTH && strspn(next, "0123456789abcdef-") == TRACE_LENGTH);
    fuzz_check(trace_id(text_of(next)).length == TRACE_ID_LENGTH);
    fuzz_check(memcmp(next + 3, id.data, TRACE_ID_LENGTH) == 0);
    return 0;
}
