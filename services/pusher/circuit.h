/* circuit.h - whether an account, or its orders, can be reached at all, and when to look again.
 * Pure: no clock, no I/O, no lock.
 * CLOSED: business as usual. OPEN: records are set aside, a probe asks now and then. What a probe
 * cannot ask for (a create that is refused beside good look-ups) is shown by a record: HALF_OPEN,
 * one may try, TRIAL, one does. Its success closes the circuit; a renewed refusal opens it again,
 * silently and for longer. */
#ifndef PUSHER_CIRCUIT_H
#define PUSHER_CIRCUIT_H

#include <stdint.h>

enum {
    /* Failures in a row, each of another record, with not one success between them: then it is not
       the records. */
    CIRCUIT_FAILURES_IN_ROW = 20,
    CIRCUIT_PROBE_BASE_MS = 1000,
    CIRCUIT_PROBE_CAP_MS = 30000,
    /* So long one that was refused in a trial leaves the next trial to others, for it may be
       refused for a reason of its own. */
    CIRCUIT_OTHERS_FIRST_MS = 1000,
};

enum circuit_state { CIRCUIT_CLOSED = 0, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN, CIRCUIT_TRIAL };

struct circuit {
    enum circuit_state state;
    int by_record; /* only a record can show that it works again */
    int failures_in_row;
    uint32_t last_failed; /* hash of the record that failed last */
    int probes_failed;    /* since it opened, and over one success that did not last */
    int64_t probe_at_ms;  /* OPEN: when to probe */
    int64_t half_open_ms; /* HALF_OPEN: since when */
};

/**
 * @brief Opens it: it is certain that nothing gets through.
 * @param by_record  a probe cannot ask for what failed
 * @param wait_ms    how long nothing will, when that is known; else -1
 * @returns 1 when it was CLOSED before: this is the moment for the one alarm
 */
int circuit_open(struct circuit *circuit, int by_record, int64_t now_ms, double chance,
                 int64_t wait_ms);

/** @brief A record got through. */
void circuit_success(struct circuit *circuit);

/** @brief A record failed by itself, as it seems. @returns 1 when too many did and the circuit
 * opened now */
int circuit_failure(struct circuit *circuit, uint32_t record, int64_t now_ms, double chance);

/** @brief Whether a probe is due. */
int circuit_probe_due(const struct circuit *circuit, int64_t now_ms);

/** @brief What the probe said. @returns 1 when the circuit closed by it; where a record has to show
 * it, it is HALF_OPEN then */
int circuit_probed(struct circuit *circuit, int succeeded, int64_t now_ms, double chance);

/** @brief Whether a record may try. again: it was refused in a trial before */
int circuit_may_try(const struct circuit *circuit, int again, int64_t now_ms);

/** @brief It tries; circuit_may_try() said so. One of the following three ends the trial. */
void circuit_try(struct circuit *circuit);

/** @brief What had failed works. */
void circuit_passed(struct circuit *circuit);

/** @brief It is still refused. */
void circuit_refused(struct circuit *circuit, int64_t now_ms, double chance, int64_t wait_ms);

/** @brief The record came to its end, or to a pause, without doing what had failed: the next one.
 */
void circuit_undecided(struct circuit *circuit);

#endif
