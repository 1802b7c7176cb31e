/* paused.h - the stores and accounts that operators paused.
 *
 * The truth is the compacted topic `<prefix>.paused`: a record with the key `store/<hash>` or
 * `account/<name>` says that this one is paused, a tombstone that it is not. There is no copy in
 * Redis, so a lost Redis changes nothing. A paused store is not polled; orders of it that a poll has
 * seen are delivered. For a paused account nothing is sent: its records go to its waiting topic.
 *
 * The value is {"since": ms since 1970, "who": "..", "why": ".." or null, "audit": number of the
 * entry in the topic `audit`}. */
#ifndef COMMON_PAUSED_H
#define COMMON_PAUSED_H

#include <stdint.h>

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

enum paused_kind { PAUSED_STORE = 0, PAUSED_ACCOUNT };

enum { PAUSED_KEY_BYTES = 128 };

struct paused_one {
    char key[PAUSED_KEY_BYTES]; /* "store/abc123", "account/main" */
    int64_t since_ms;           /* -1: the record does not say */
    int64_t audit;              /* number of the audit's entry; -1: the record does not say */
    char *who;                  /* "" where the record does not say */
    char *why;                  /* "" where no reason was given; text of an operator */
};

/* Embedded, zero-initialised; release with paused_clear(). */
struct paused {
    struct paused_one *list;
    int count;
};

/** @brief Adds a record of the topic. Records come in the order of their offsets. A value that
 * cannot be read pauses all the same, for only a tombstone ends a pause. Pure. */
void paused_add(struct paused *paused, const struct event *event);
void paused_clear(struct paused *paused);

/** @brief The pause of a store (name is its hash) or an account, or NULL. Borrowed until the next
 * change. Pure. */
const struct paused_one *paused_find(const struct paused *paused, enum paused_kind kind,
                                     const char *name);

/** @brief The record key of a store or account. Pure. @returns key */
const char *paused_key(char key[PAUSED_KEY_BYTES], enum paused_kind kind, const char *name);

/** @brief Reads the topic as it is now. For programs that ask once. paused is empty at first; it is
 * to be cleared in both cases. @returns 0, or -1 with a temporary error */
int paused_read(const struct config *config, struct paused *paused, struct error *err);

/* Follows the topic, in a thread of its own; for poller, pusher and console. Thread-safe. */
struct paused_watch;

/** @brief New. config: keeps. NULL with an error */
struct paused_watch *paused_watch_start(const struct config *config, struct error *err);

/** @brief Ends the thread. NULL is accepted. */
void paused_watch_free(struct paused_watch *watch);

enum paused_state {
    PAUSED_UNKNOWN = 0, /* the topic was not read yet: nothing may be begun */
    PAUSED_NO,
    PAUSED_YES,
};

/** @brief Whether it is paused. Cheap: it asks nobody. A change is known within a second. */
enum paused_state paused_watch_state(struct paused_watch *watch, enum paused_kind kind,
                                     const char *name);

/** @brief A copy of what is known now; release with paused_clear(). @returns 0; -1: the topic was
 * not read yet */
int paused_watch_copy(struct paused_watch *watch, struct paused *paused);

#endif
