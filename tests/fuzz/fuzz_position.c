/* A record of cursors: what is read of it is written again as the same. */
#include "fuzz.h"

#include <string.h>

#include "../../services/poller/position.h"

const struct fuzz_target fuzz_target = {"position", 1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer text;
    struct text value = {(const char *)data, size};
    struct position first, second, merged = {.fence = 3, .cursor_ms = 5};

    if (position_parse(value, &first) == 0) {
        fuzz_check(first.fence > 0 && first.cursor_ms >= -1 && first.start_from_ms >= 0);
        buffer_reset(&text);
        position_print(&text, &first, 1);
        fuzz_check(position_parse((struct text){text.data, text.length}, &second) == 0);
        fuzz_check(first.cursor_ms == second.cursor_ms && first.fence == second.fence &&
                   first.start_from_ms == second.start_from_ms);
    }
    position_merge(&merged, value);
    fuzz_check(merged.fence >= 3);
    return 0;
}
