#include "record/forgotten.h"

#include <string.h>

static const char begin[] = "{\"forgotten\":\"", middle[] = "\",\"digest\":\"", end[] = "\"}";

enum { INSTANT_LENGTH = 24 };

int forgotten_read(struct text value, char digest[DIGEST_BYTES])
{
    const size_t digest_at = sizeof(begin) - 1 + INSTANT_LENGTH + sizeof(middle) - 1;
    const size_t length = digest_at + DIGEST_BYTES - 1 + sizeof(end) - 1;

    if (value.length != length || memcmp(value.data, begin, sizeof(begin) - 1) != 0 ||
        memcmp(value.data + sizeof(begin) - 1 + INSTANT_LENGTH, middle, sizeof(middle) - 1) != 0)
        return 0;
    for (size_t i = 0; i < DIGEST_BYTES - 1; i++)
        if (strchr("0123456789abcdef", value.data[digest_at + i]) == NULL ||
            value.data[digest_at + i] == '\0')
            return 0;
    if (digest != NULL) {
        memcpy(digest, value.data + digest_at, DIGEST_BYTES - 1);
        digest[DIGEST_BYTES - 1] = '\0';
    }
    return 1;
}

void forgotten_write(struct buffer *target, struct text value, const char *at)
{
    char digest[DIGEST_BYTES];

    digest_hex(digest, &value, 1);
    buffer_printf(target, "%s%s%s%s%s", begin, at, middle, digest, end);
}
