/* act.h - what every act of an operator has in common: who does it and why, its two entries in the
 * audit, its way into the topics, and how it is broken off.
 *
 *     struct act *act = act_new(config, who, why, err);
 *     act_begin(act, "drop", about, err)    // the first entry; without it nothing is done
 *     ...
 *     act_end(act, "done", result, err)     // the second entry: what came of it
 *     act_free(act) */
#ifndef COMMON_ACT_H
#define COMMON_ACT_H

#include <stdint.h>

#include <jansson.h>

#include "act/send.h"
#include "base/error.h"
#include "record/topic.h"
#include "settings/config.h"

struct act {
    const struct config *config; /* borrowed */
    struct topics topics;
    struct audit *audit;
    struct send *send;
    char *why;     /* what the operator gave as reason, or NULL */
    char *name;    /* "retry"; NULL before act_begin() */
    int64_t entry; /* number of the act's first entry in the audit */
};

/**
 * @brief New: act_free(). Reads the audit.
 * @param who  who acts: audit_who() of a command line, the name of a token for the console
 * @param why  or NULL
 * @returns NULL with an error
 */
struct act *act_new(const struct config *config, const char *who, const char *why,
                    struct error *err);
void act_free(struct act *act);

/** @brief Writes the act's first entry. about: takes; more members of the entry. @returns 0, or -1
 * with an error: the act must not be carried out */
int act_begin(struct act *act, const char *name, json_t *about, struct error *err);

/**
 * @brief Writes the act's second entry.
 * @param outcome  "done", "cancelled", "refused", "failed"
 * @param result   takes; more members of the entry
 * @returns 0, or -1 with an error: the act was carried out all the same
 */
int act_end(struct act *act, const char *outcome, json_t *result, struct error *err);

/** @brief act_end() for an act that ended with rc and err: "done" where rc is 0, else "refused" or
 * "failed" with the error's text. err keeps the first error. @returns rc, or -1 where the entry
 * could not be written */
int act_finish(struct act *act, int rc, json_t *result, struct error *err);

/** @brief From now on TERM and INT do not stop the process at once, but make act_is_cancelled()
 * true, so that the second entry can still be written. A second signal stops the process. */
void act_catch_signals(void);
int act_is_cancelled(void);

#endif
