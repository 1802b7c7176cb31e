/* circuit.h - whether an account, or its orders, can be reached at all, and when to ask again.
 * Pure: no clock, no I/O, no lock.
 *
 * CLOSED     records are delivered.
 * OPEN       records are set aside; a probe asks the account now and then.
 * HALF_OPEN  the probe was answered, but a probe cannot show whether creates work, for example. One
 *            record may try.
 * TRIAL      that record is trying. If it succeeds, the circuit closes; if not, it opens again, for
 *            longer and without another alarm. */
#ifndef PUSHER_CIRCUIT_H
#define PUSHER_CIRCUIT_H

#include <stdint.h>

enum {
    /* So many different records have to fail, with no success between them, before the account is
       to blame and not the records. */
    CIRCUIT_FAILURES_IN_ROW = 20,
    CIRCUIT_PROBE_BASE_MS = 1000,
    CIRCUIT_PROBE_CAP_MS = 30000,
    /* A record that was refused while it tried leaves the next trial to others for so long, because
       it may be refused for a reason of its own. */
    CIRCUIT_OTHERS_FIRST_MS = 1000,
};

enum circuit_state { CIRCUIT_CLOSED = 0, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN, CIRCUIT_TRIAL };

struct circuit {
    enum circuit_state state;
    int by_record; /* only a record can show that the account works again */
    int failures_in_row;
    uint32_t last_failed; /* hash of the record that failed last */
    int probes_failed;    /* since it opened; a success that did not last does not reset it */
    int64_t probe_at_ms;  /* OPEN: when to probe */
    int64_t half_open_ms; /* HALF_OPEN: since when */
};

/**
 * @brief Opens the circuit: it is certain that no record gets through.
 * @param by_record  a probe cannot ask for what failed, so a record has to show that it works again
 * @param wait_ms    how long no record will get through, where that is known; else -1
 * @returns 1 when it was CLOSED before: the caller raises the alarm
 */
int circuit_open(struct circuit *circuit, int by_record, int64_t now_ms, double chance,
                 int64_t wait_ms);

/** @brief A record got through. */
void circuit_success(struct circuit *circuit);

/** @brief A record failed, and it seems to be to blame itself. @returns 1 when too many records
 * failed in a row and the circuit opened now */
int circuit_failure(struct circuit *circuit, uint32_t record, int64_t now_ms, double chance);

/** @brief Whether a probe is due. */
int circuit_probe_due(const struct circuit *circuit, int64_t now_ms);

/** @brief A probe succeeded or failed. @returns 1 when the circuit closed now. Where a record has
 * to show that it works, a success makes it HALF_OPEN instead */
int circuit_probed(struct circuit *circuit, int succeeded, int64_t now_ms, double chance);

/** @brief Whether a record may try now: the circuit is HALF_OPEN. again: this record tried before
 * and was refused, so it may try only CIRCUIT_OTHERS_FIRST_MS after the circuit became HALF_OPEN */
int circuit_may_try(const struct circuit *circuit, int again, int64_t now_ms);

/** @brief The record tries, after circuit_may_try() allowed it. One of the next three functions
 * ends the trial. */
void circuit_try(struct circuit *circuit);

/** @brief The trial succeeded: what had failed works. */
void circuit_passed(struct circuit *circuit);

/** @brief The trial failed: what had failed is refused again. */
void circuit_refused(struct circuit *circuit, int64_t now_ms, double chance, int64_t wait_ms);

/** @brief The record ended, or was set aside, before it did what had failed: the next one tries. */
void circuit_undecided(struct circuit *circuit);

#endif
