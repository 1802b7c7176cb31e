/* publisher.h - a fate that must be with Kafka before the ledger is asked once more (rule 7): sent
 * and waited for. For the rare fates: dead, withdrawn. Thread-safe. */
#ifndef PUSHER_PUBLISHER_H
#define PUSHER_PUBLISHER_H

#include "base/error.h"
#include "record/event.h"
#include "settings/config.h"

struct publisher;

/** @brief New, with a thread of its own that serves delivery reports. config: keeps. Free with
 * publisher_free(). */
struct publisher *publisher_new(const struct config *config, struct error *err);
void publisher_free(struct publisher *publisher);

/**
 * @brief Sends one record and waits until Kafka has it, for as long as it takes. The value is
 * copied.
 * @returns 0; 1 when a stop was asked for meanwhile (the record may or may not be there); 2 when it
 * is larger than its topic takes; -1 with an error nobody can heal
 */
int publisher_send(struct publisher *publisher, const struct output *output, struct error *err);

/** @brief 0; -1 with the error that nobody can heal, for which the program was asked to stop. NULL
 * is accepted. */
int publisher_check(struct publisher *publisher, struct error *err);

#endif
