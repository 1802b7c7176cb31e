/* answer.c - what may be said of an answer: in records, in the log, to people. */
#include "infusionsoft/infusionsoft.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

char *infusionsoft_answer_text(char *target, size_t size, struct text body)
{
    size_t length = 0;

    for (size_t i = 0; i < body.length && length + 1 < size;) {
        size_t word = 0;
        int personal = 0;

        while (i + word < body.length &&
               strchr(" \t\r\n\"'<>,;:()[]{}", body.data[i + word]) == NULL)
            personal |= body.data[i + word++] == '@';
        if (word == 0) { /* skips the separator */
            target[length++] = isspace((unsigned char)body.data[i]) ? ' ' : body.data[i];
            i++;
        } else {
            for (size_t k = 0; k < word && !personal && length + 1 < size; k++)
                target[length++] =
                    iscntrl((unsigned char)body.data[i + k]) ? ' ' : body.data[i + k];
            i += word;
        }
    }
    /* A character is not cut in two. */
    while (length > 0 && length + 1 == size && ((unsigned char)target[length - 1] & 0x80) != 0)
        length--;
    target[length] = '\0';
    return target;
}

/* An error's word, as INVALID_ARGUMENT or policies.ratelimit.SpikeArrestViolation; "" where the text
 * may be anything else. */
static struct text error_word(yyjson_val *value)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.";
    const char *text = yyjson_get_str(value);
    size_t length = yyjson_get_len(value);
    int has_joint = text != NULL && (memchr(text, '_', length) || memchr(text, '.', length));

    if (text == NULL || length == 0 || length > 60 || strspn(text, allowed) != length)
        return (struct text){"", 0};
    for (size_t i = 0; i < length && !has_joint; i++)
        if (text[i] < 'A' || text[i] > 'Z') /* a word of its own is in capitals; a name is not */
            return (struct text){"", 0};
    return (struct text){text, length};
}

char *infusionsoft_answer_word(const struct infusionsoft *client, char *target, size_t size)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(client);
    yyjson_doc *doc = NULL;
    yyjson_val *root, *fault;
    struct text word;

    if (answer->status == 0) {
        snprintf(target, size, "no answer");
        return target;
    }
    if (answer->root == NULL && answer->body.length > 0)
        doc = yyjson_read(answer->body.data, answer->body.length, 0);
    root = answer->root != NULL ? answer->root : yyjson_doc_get_root(doc);
    word = error_word(yyjson_obj_get(root, "status"));
    fault = yyjson_obj_get(yyjson_obj_get(root, "fault"), "detail");
    if (word.length == 0)
        word = error_word(yyjson_obj_get(fault, "errorcode"));
    snprintf(target, size, "HTTP %d%s%.*s", answer->status, word.length > 0 ? " " : "",
             (int)word.length, word.data);
    yyjson_doc_free(doc);
    return target;
}
