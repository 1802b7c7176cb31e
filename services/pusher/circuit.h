/* circuit.h - whether an account, or its orders, can be reached at all, and when to look again.
 * Pure: no clock, no I/O, no lock. Open means closed for business: records are set aside, a probe
 * asks now and then. */
#ifndef PUSHER_CIRCUIT_H
#define PUSHER_CIRCUIT_H

#include <stdint.h>

enum {
    /* Failures in a row, each of another record, with not one success between them: then it is not
       the records. */
    CIRCUIT_FAILURES_IN_ROW = 20,
    CIRCUIT_PROBE_BASE_MS = 1000,
    CIRCUIT_PROBE_CAP_MS = 30000,
};

struct circuit {
    int open;
    int failures_in_row;
    uint32_t last_failed; /* hash of the record that failed last */
    int probes_failed;    /* since it opened, and over one success that did not last */
    int64_t probe_at_ms;  /* open: when to probe */
};

/**
 * @brief Opens it: it is certain that nothing gets through.
 * @param wait_ms  how long nothing will, when that is known; else -1
 * @returns 1 when it was closed before: this is the moment for the one alarm
 */
int circuit_open(struct circuit *circuit, int64_t now_ms, double chance, int64_t wait_ms);

/** @brief A record got through. */
void circuit_success(struct circuit *circuit);

/** @brief A record failed by itself, as it seems. @returns 1 when too many did and the circuit
 * opened now */
int circuit_failure(struct circuit *circuit, uint32_t record, int64_t now_ms, double chance);

/** @brief Whether a probe is due. */
int circuit_probe_due(const struct circuit *circuit, int64_t now_ms);

/** @brief What the probe said. @returns 1 when the circuit closed by it */
int circuit_probed(struct circuit *circuit, int succeeded, int64_t now_ms, double chance);

#endif
