#include "record/mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char version[] = "v1", name[] = "mark=";

void mark_print(int64_t mark, char text[MARK_TEXT_BYTES])
{
    text[0] = '\0';
    if (mark != MARK_NONE)
        snprintf(text, MARK_TEXT_BYTES, "%s%" PRId64, name, mark);
}

/* Returns the next word and removes it from the text; an empty word at the end. */
static struct text next_word(struct text *text)
{
    struct text word;

    while (text->length > 0 && *text->data == ' ') {
        text->data++;
        text->length--;
    }
    word = (struct text){text->data, 0};
    while (word.length < text->length && text->data[word.length] != ' ')
        word.length++;
    text->data += word.length;
    text->length -= word.length;
    return word;
}

int64_t mark_read(struct text metadata, int64_t committed)
{
    const size_t skip = sizeof(name) - 1;
    int64_t mark = MARK_NONE;
    struct text word;
    int found = 0;

    if (metadata.data == NULL || !text_is(next_word(&metadata), version))
        return MARK_NONE;
    for (word = next_word(&metadata); word.length > 0; word = next_word(&metadata)) {
        if (word.length < skip || memcmp(word.data, name, skip) != 0)
            continue;
        if (text_to_int((struct text){word.data + skip, word.length - skip}, &mark) != 0)
            return MARK_NONE;
        found++;
    }
    if (found != 1 || mark < 0 || mark < committed ||
        mark - (committed > 0 ? committed : 0) > MARK_AHEAD_MAX)
        return MARK_NONE;
    return mark;
}
