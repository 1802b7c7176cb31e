/* payment_type.h - the Manual Payment Types of an account. A payment has to name one of them exactly as
 * it is written there (Ecommerce Settings > Orders), so the name in the settings is checked before the
 * first order. */
#ifndef COMMON_PAYMENT_TYPE_H
#define COMMON_PAYMENT_TYPE_H

#include "base/mem.h"
#include "infusionsoft/infusionsoft.h"
#include "settings/config.h"

/** @brief Whether a store of the account has payments recorded. */
int payment_type_is_needed(const struct config *config, int account_index);

/** @brief Asks the account for its types. types: out, when OK: as payment_type_is_listed() takes them;
 * empty: the account does not tell them. Borrowed until the client's next call. */
enum infusionsoft_outcome payment_type_ask(struct infusionsoft *client, struct text *types);

/** @brief Whether the type is in the account's list, which is text with a comma or a new line between
 * its entries. The interface's description does not say which; a type with a comma in it is found as
 * well. Pure. */
int payment_type_is_listed(struct text types, const char *type);

/** @brief The first store of the account whose type is not listed; NULL: all are. Pure. */
const struct config_store *payment_type_find_unknown(const struct config *config, int account_index,
                                                     struct text types);

#endif
