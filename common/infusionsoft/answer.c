/* answer.c - what may be said of an answer: in records, in the log, to people. */
#include "infusionsoft/infusionsoft.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Names of members that we send, and of their values that are ours. No other word of an answer is
 * repeated, so whatever a vendor writes into it about a person, in whatever spelling, is left out. */
static const char *const field_names[] = {
    "account",
    "addresses",
    "billing",
    "call_name",
    "contact_id",
    "content",
    "country_code",
    "custom_fields",
    "duplicate_option",
    "email",
    "email1",
    "email_addresses",
    "family_name",
    "field",
    "given_name",
    "integration",
    "line1",
    "line2",
    "locality",
    "opt_in_reason",
    "order_items",
    "order_time",
    "order_title",
    "order_type",
    "other",
    "phone1",
    "phone_numbers",
    "postal_code",
    "price",
    "product_id",
    "quantity",
    "region",
    "region_code",
    "shipping",
    "shipping_address",
    "sku",
    "tag_ids",
    "update_mask",
    "zip_code",
};

enum { FIELD_NAME_COUNT = sizeof(field_names) / sizeof(*field_names) };

static int is_name_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Which of the names the word is, or -1. */
static int field_index(const char *word, size_t length)
{
    for (int i = 0; i < FIELD_NAME_COUNT; i++)
        if (strlen(field_names[i]) == length && strncasecmp(field_names[i], word, length) == 0)
            return i;
    return -1;
}

/* Appends the names of our members that the answer has as words of their own, each once. */
static void add_fields(char *target, size_t size, struct text body)
{
    char seen[FIELD_NAME_COUNT] = {0};
    size_t length = strlen(target), i = 0;
    int count = 0;

    while (i < body.length) {
        size_t word = 0;
        int index;

        while (i + word < body.length && is_name_char(body.data[i + word]))
            word++;
        index = word > 0 ? field_index(body.data + i, word) : -1;
        i += word > 0 ? word : 1;
        if (index < 0 || seen[index] || length + strlen(field_names[index]) + 10 > size)
            continue;
        seen[index] = 1;
        length += (size_t)snprintf(target + length, size - length, "%s%s",
                                   count++ > 0 ? "," : " fields=", field_names[index]);
    }
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
    if (answer->status >= 300)
        add_fields(target, size, answer->body);
    return target;
}
