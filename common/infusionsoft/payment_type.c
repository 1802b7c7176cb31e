#include "infusionsoft/payment_type.h"

#include <string.h>

#include <yyjson.h>

#include "base/json.h"
#include "base/text.h"

static int is_asked_of(const struct config_store *store, int account_index)
{
    return store->account_index == account_index && store->payments != PAYMENTS_OFF;
}

int payment_type_is_needed(const struct config *config, int account_index)
{
    for (int i = 0; i < config->store_count; i++)
        if (is_asked_of(&config->stores[i], account_index))
            return 1;
    return 0;
}

enum infusionsoft_outcome payment_type_ask(struct infusionsoft *client, struct text *types)
{
    enum infusionsoft_outcome outcome =
        infusionsoft_call(client, "GET", "/settings/applications:getConfiguration",
                          "fields=ECOMMERCE", (struct text){0});

    *types = (struct text){0};
    if (outcome == INFUSIONSOFT_OK)
        *types = text_trim(json_text(yyjson_obj_get(
            yyjson_obj_get(infusionsoft_answer(client)->root, "ecommerce"), "payment_types")));
    return outcome;
}

/* Whether an entry may end before, or begin after, this place: the list's end, or a separator with blanks
 * around it. */
static int is_border(struct text rest, int backwards)
{
    while (rest.length > 0) {
        char sign = backwards ? rest.data[rest.length - 1] : rest.data[0];

        if (sign == ',' || sign == '\n' || sign == '\r')
            return 1;
        if (sign != ' ')
            return 0;
        rest.length--;
        rest.data += backwards ? 0 : 1;
    }
    return 1;
}

int payment_type_is_listed(struct text types, const char *type)
{
    size_t length = strlen(type);

    for (size_t at = 0; at + length <= types.length; at++)
        if (memcmp(types.data + at, type, length) == 0 &&
            is_border((struct text){types.data, at}, 1) &&
            is_border((struct text){types.data + at + length, types.length - at - length}, 0))
            return 1;
    return 0;
}

const struct config_store *payment_type_find_unknown(const struct config *config, int account_index,
                                                     struct text types)
{
    for (int i = 0; i < config->store_count; i++)
        if (is_asked_of(&config->stores[i], account_index) &&
            !payment_type_is_listed(types, config->stores[i].payment_type))
            return &config->stores[i];
    return NULL;
}
