/* A record's key and its headers. */
#include "fuzz.h"

#include <string.h>

#include "record/event.h"

const struct fuzz_target fuzz_target = {"record", 0};

static void check_key(struct text key)
{
    struct event_key parts;

    if (event_key_parse(key, &parts) != 0)
        return;
    fuzz_check(parts.store.length + parts.entity.length + parts.id.length + 2 == key.length);
    fuzz_check(parts.store.length > 0 && parts.store.length <= EVENT_STORE_BYTES_MAX);
    fuzz_check(parts.id.length > 0 && parts.id.length <= 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size};
    struct event event = {.key = text};
    char name[32];
    int64_t value;

    check_key(text);
    event.headers[HEADER_ATTEMPT] = text;
    value = event_header_int(&event, HEADER_ATTEMPT, -1);
    fuzz_check(value >= -1);
    (void)event_hash_contact(text, text);
    (void)event_hash(7, text);
    memset(name, 0, sizeof(name));
    memcpy(name, data, size < sizeof(name) ? size : sizeof(name) - 1);
    fuzz_check(header_of(name) <= HEADER_COUNT);
    (void)reason_of(text.data, text.length);
    return 0;
}
