/* audit.h - the record of what operators did: the topic `<prefix>.audit`, kept for ever.
 *
 * An act has two entries: one before it, with `step` = "begin", and one after it, with `step` =
 * "end", `of` = the number of the first one and `outcome`. An act whose first entry cannot be
 * written is not carried out. Where the second one is missing the program was killed.
 *
 *   {"n":12, "before":"<SHA-256>", "id":"<random>", "at":"2026-01-02T03:04:05.678Z",
 *    "who":"ann@host", "act":"retry", "step":"begin", "why":"..", ...what the act says of itself}
 *
 * There is no lock. Who appends reads the topic to its end, appends, and reads what was appended up
 * to its own record. Where another entry has taken the place, it appends once more. Kafka alone
 * decides by the offsets, so this holds without Redis, and with any number of operators: of those
 * who append for one place, the first one gets it. */
#ifndef COMMON_AUDIT_H
#define COMMON_AUDIT_H

#include <stdint.h>

#include <jansson.h>

#include "act/audit_chain.h"
#include "base/error.h"
#include "net/kafka.h"
#include "settings/config.h"

/* Called for each entry that is read. json: borrowed; NULL where it is none. */
typedef void (*audit_visit)(void *context, const struct event *event, enum audit_link link,
                            const json_t *json);

/** @brief Reads the whole topic into chain, which is new. visit: or NULL. @returns 0, or -1 with an
 * error */
int audit_read(const struct config *config, struct audit_chain *chain, audit_visit visit,
               void *context, struct error *err);

struct audit; /* opaque; belongs to one thread */

/**
 * @brief Reads the topic, to be able to append. New: audit_free().
 * @param who  who acts, such as "ann@host"; copied. audit_who() tells it for a command line
 * @returns NULL with an error
 */
struct audit *audit_new(const struct config *config, const char *who, struct error *err);
void audit_free(struct audit *audit);

/** @brief The user of this process and the host: "ann@host". New. */
char *audit_who(void);

/** @brief Who acts, as given to audit_new(). Borrowed. */
const char *audit_actor(const struct audit *audit);

/**
 * @brief Appends an entry and waits until it is part of the chain.
 * @param entry  takes: at least `act` and `step`; the other members of above are set here
 * @param n      out: its number
 * @returns 0, or -1 with an error: it may be in the topic all the same
 */
int audit_append(struct audit *audit, json_t *entry, int64_t *n, struct error *err);

#endif
