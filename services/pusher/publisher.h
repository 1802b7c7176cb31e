/* publisher.h - publishes the rare fates that must be in Kafka before the ledger is asked once more
 * (dead, withdrawn), and waits for Kafka's answer. The stage publishes all other fates.
 * Thread-safe. */
#ifndef PUSHER_PUBLISHER_H
#define PUSHER_PUBLISHER_H

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

struct publisher;

/** @brief New, with a thread of its own that takes Kafka's delivery reports. config: keeps. Free
 * with publisher_free(). */
struct publisher *publisher_new(const struct config *config, struct error *err);
void publisher_free(struct publisher *publisher);

enum published {
    PUBLISHED_OK = 0,    /* Kafka has the record */
    PUBLISHED_STOPPED,   /* a stop was requested meanwhile; Kafka may have the record or not */
    PUBLISHED_TOO_LARGE, /* the record is larger than its topic takes */
    PUBLISHED_FATAL,     /* err says why nothing can be published any more; a stop was requested */
};

/** @brief Sends one record and waits until Kafka has it, for as long as it takes. The value is
 * copied. */
enum published publisher_send(struct publisher *publisher, const struct output *output,
                              struct error *err);

/** @brief Whether the process has to end because nothing can be published any more. NULL is
 * accepted.
 * @returns 0; -1 with the error that no later attempt can heal */
int publisher_check(struct publisher *publisher, struct error *err);

#endif
