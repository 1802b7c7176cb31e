#include "act/person.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "base/json.h"
#include "base/text.h"
#include "record/order.h"

int person_init(struct person *person, const char *email, struct error *err)
{
    struct text text = text_trim(text_of(email));

    *person = (struct person){0};
    if (text.length >= PERSON_EMAIL_BYTES || order_check_email(text) != EMAIL_USABLE)
        return error_set(err, ERROR_PERMANENT, "that is no e-mail address");
    for (size_t i = 0; i < text.length; i++)
        person->email[i] = text.data[i] >= 'A' && text.data[i] <= 'Z'
                               ? (char)(text.data[i] - 'A' + 'a')
                               : text.data[i];
    digest_hex_nocase(person->digest, text);
    return 0;
}

static int is_email(const struct person *person, yyjson_val *value)
{
    return yyjson_is_str(value) &&
           text_equal_nocase(text_trim(json_text(value)), text_of(person->email));
}

/* Whether a byte can be part of an address, so that the one that is looked for goes on there. */
static int goes_on(char byte)
{
    return isalnum((unsigned char)byte) || (unsigned char)byte >= 0x80 ||
           (byte != '\0' && strchr("._%+-@", byte) != NULL);
}

static int stands_in(const struct person *person, struct text value)
{
    size_t length = strlen(person->email);

    for (size_t i = 0; i + length <= value.length; i++) {
        struct text part = {value.data + i, length};

        if (text_equal_nocase(part, text_of(person->email)) &&
            (i == 0 || !goes_on(value.data[i - 1])) &&
            (i + length == value.length || !goes_on(value.data[i + length])))
            return 1;
    }
    return 0;
}

int person_has(const struct person *person, struct text value)
{
    yyjson_doc *doc;
    yyjson_val *root, *billing, *addresses;
    int has;

    if (value.data == NULL)
        return 0;
    doc = yyjson_read(value.data, value.length, YYJSON_READ_NUMBER_AS_RAW);
    root = yyjson_doc_get_root(doc);
    billing = yyjson_obj_get(root, "billing_address");
    addresses = yyjson_obj_get(yyjson_obj_get(root, "contact"), "email_addresses");
    has = is_email(person, yyjson_obj_get(billing, "email")) ||
          is_email(person, yyjson_obj_get(yyjson_arr_get_first(addresses), "email")) ||
          stands_in(person, value);
    yyjson_doc_free(doc);
    return has;
}
