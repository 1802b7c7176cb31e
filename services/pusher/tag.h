/* tag.h - the tags that the contact of an order gets: each is found by its name, or made, and then
 * applied. */
#ifndef PUSHER_TAG_H
#define PUSHER_TAG_H

#include <yyjson.h>

#include "delivery.h"
#include "lookup.h"

/**
 * @brief Applies each tag of the payload whose step the entry does not have yet. A tag that is refused,
 * or whose attempts have run out, is listed as incomplete, and the next one goes on.
 *
 * To apply a tag twice is the same as to apply it once, so nothing is begun in the order's entry: what
 * was in doubt is applied again.
 */
enum progress tag_step(struct delivery *d);

/** @brief The same for one tag. Its step is one of the entry in d->grant, and its end is pending
 * then. */
enum progress tag_give(struct delivery *d, struct tag *tag);

/** @brief Names of enum tag_result, as the metric and, but for the first, the ledger have them. */
extern const char *const tag_results[TAG_RESULT_COUNT];

/** @brief Whether the tag has that name. UNCLEAR: its name is no text. Pure. */
enum match tag_match(yyjson_val *tag, struct text name);

#endif
