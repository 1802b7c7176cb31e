/* again.h - what makes of a record of `dead`, of a retry topic or of a waiting topic one that is
 * tried again. Pure. */
#ifndef COMMON_AGAIN_H
#define COMMON_AGAIN_H

#include "record/event.h"
#include "record/topic.h"

/* Why a record cannot be tried again: a sentence for people, or NULL. Static. */
typedef const char *again_refusal;

/**
 * @brief The record that goes to the topic from which the program read that gave it up: `raw` for
 * the filter, `eligible` for the mapper, `payloads` for the pusher.
 *
 * It has the value as it came, the headers of the order's version and what the ledger knew of it,
 * and `source` = replay. It has no `attempt`: its attempts are counted anew.
 * @param value   what it is to have as value: that of event, or an edited one
 * @param now     ms since 1970 as text, for the header replayed_at
 * @param output  out; borrows from all of these
 * @returns NULL, or why it cannot be
 */
again_refusal again_make(const struct topics *topics, const struct event *event, struct text value,
                         const char *now, struct output *output);

#endif
