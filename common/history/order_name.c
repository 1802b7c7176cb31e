#include "history/order_name.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "record/event.h"

enum { WORDS_BYTES = 200, ID_DIGITS_MAX = 20 };

static int is_id(struct text text)
{
    if (text.length == 0 || text.length > ID_DIGITS_MAX)
        return 0;
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
    return 1;
}

static void join(char target[WORDS_BYTES], char *const *words, int count)
{
    size_t length = 0;

    target[0] = '\0';
    for (int i = 0; i < count && length < WORDS_BYTES; i++)
        length += (size_t)snprintf(target + length, WORDS_BYTES - length, "%s%s", i > 0 ? " " : "",
                                   words[i]);
}

static int has_code(const struct config_store *store, struct text code, int exactly)
{
    if (code.length == 0) /* only an id was given */
        return exactly;
    return exactly ? text_is(code, store->code) : text_equal_nocase(code, text_of(store->code));
}

/* Error for a code that names no store, or several. */
static int refuse(const struct config *config, struct text code, int several, struct error *err)
{
    struct buffer codes = {0};

    for (int i = 0; i < config->store_count; i++)
        buffer_printf(&codes, "%s%s (%s)", i > 0 ? ", " : "", config->stores[i].code,
                      config->stores[i].hash);
    if (several)
        error_set(err, ERROR_PERMANENT,
                  "more than one store can be meant; write HASH/order/NUMBER. Codes and hashes: %s",
                  codes.data);
    else
        error_set(err, ERROR_PERMANENT, "no store has the code %.*s. Codes and hashes: %s",
                  (int)(code.length < 60 ? code.length : 60), code.data,
                  codes.length > 0 ? codes.data : "none");
    buffer_clear(&codes);
    return -1;
}

static int find_store(const struct config *config, struct text code,
                      const struct config_store **found, struct error *err)
{
    int count = 0;

    for (int exactly = 1; exactly >= 0 && count == 0; exactly--)
        for (int i = 0; i < config->store_count; i++)
            if (has_code(&config->stores[i], code, exactly)) {
                *found = &config->stores[i];
                count++;
            }
    return count == 1 ? 0 : refuse(config, code, count > 1, err);
}

static struct text without_zeros(struct text id)
{
    while (id.length > 1 && id.data[0] == '0') {
        id.data++;
        id.length--;
    }
    return id;
}

/* Splits "BC/1042", "BC #1042" or "1042". The id is behind the last slash or number sign. */
static int split(struct text text, struct text *code, struct text *id)
{
    size_t at = text.length;

    while (at > 0 && text.data[at - 1] != '/' && text.data[at - 1] != '#')
        at--;
    *id = text_trim((struct text){text.data + at, text.length - at});
    *code = text_trim((struct text){text.data, at > 0 ? at - 1 : 0});
    *id = without_zeros(*id);
    return is_id(*id) ? 0 : -1;
}

/* Whether words are a record key. key: out, without zeros in front of the id. */
static int is_key(char *const *words, int word_count, int is_order, char key[ORDER_KEY_BYTES])
{
    char joined[WORDS_BYTES];
    struct event_key parts;
    struct text id;

    join(joined, words, word_count);
    if (event_key_parse(text_trim(text_of(joined)), &parts) != 0 ||
        text_is(parts.entity, "order") != is_order)
        return 0;
    id = without_zeros(parts.id);
    snprintf(key, ORDER_KEY_BYTES, "%.*s/%.*s/%.*s", (int)parts.store.length, parts.store.data,
             (int)parts.entity.length, parts.entity.data, (int)id.length, id.data);
    return 1;
}

int order_name_parse(const struct config *config, char *const *words, int word_count,
                     char key[ORDER_KEY_BYTES], struct error *err)
{
    char joined[WORDS_BYTES];
    struct text code, id;
    const struct config_store *store = NULL;

    if (is_key(words, word_count, 1, key))
        return 0;
    if (is_key(words, word_count, 0, key))
        return error_set(err, ERROR_PERMANENT,
                         "%.80s is a customer or a product, no order; bigfusion trace, peek and "
                         "retry take it",
                         key);
    join(joined, words, word_count);
    if (split(text_trim(text_of(joined)), &code, &id) != 0)
        return error_set(err, ERROR_PERMANENT,
                         "%.80s is no order; write CODE/NUMBER or HASH/order/NUMBER", joined);
    if (find_store(config, code, &store, err) != 0)
        return -1;
    snprintf(key, ORDER_KEY_BYTES, "%s/order/%.*s", store->hash, (int)id.length, id.data);
    return 0;
}

int record_name_parse(const struct config *config, char *const *words, int word_count,
                      char key[ORDER_KEY_BYTES], struct error *err)
{
    return is_key(words, word_count, 0, key)
               ? 0
               : order_name_parse(config, words, word_count, key, err);
}

const char *order_name_print(const struct config *config, const char *key,
                             char name[ORDER_NAME_BYTES])
{
    struct event_key parts;
    const struct config_store *store = NULL;
    const char *word;

    if (event_key_parse(text_of(key), &parts) == 0)
        store = config_store_by_hash(config, parts.store);
    if (store == NULL) {
        snprintf(name, ORDER_NAME_BYTES, "%s", key);
        return name;
    }
    word = text_is(parts.entity, "contact")   ? "customer "
           : text_is(parts.entity, "product") ? "product "
                                              : "#";
    snprintf(name, ORDER_NAME_BYTES, "%s %s%.*s", store->code, word, (int)parts.id.length,
             parts.id.data);
    return name;
}
