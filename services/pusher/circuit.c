#include "circuit.h"

#include "base/retry.h"

static void set_probe(struct circuit *circuit, int64_t now_ms, double chance, int64_t wait_ms)
{
    struct retry_policy policy = {0, CIRCUIT_PROBE_BASE_MS, CIRCUIT_PROBE_CAP_MS};
    /* Chance decides about half of the delay only, so a probe never follows another at once. */
    int64_t limit_ms = retry_delay_ms(&policy, circuit->probes_failed + 1, 1.0, -1);

    circuit->probe_at_ms =
        now_ms + (wait_ms >= 0 ? wait_ms : limit_ms / 2 + (int64_t)(chance * (double)limit_ms / 2));
}

int circuit_open(struct circuit *circuit, int by_record, int64_t now_ms, double chance,
                 int64_t wait_ms)
{
    if (circuit->state != CIRCUIT_CLOSED)
        return 0;
    circuit->state = CIRCUIT_OPEN;
    circuit->by_record = by_record;
    set_probe(circuit, now_ms, chance, wait_ms);
    return 1;
}

void circuit_success(struct circuit *circuit)
{
    circuit->failures_in_row = 0;
    if (circuit->state == CIRCUIT_CLOSED)
        circuit->probes_failed = 0;
}

int circuit_failure(struct circuit *circuit, uint32_t record, int64_t now_ms, double chance)
{
    if (circuit->failures_in_row > 0 && circuit->last_failed == record)
        return 0; /* one record that fails again and again says nothing about the account */
    circuit->last_failed = record;
    if (circuit->failures_in_row < CIRCUIT_FAILURES_IN_ROW)
        circuit->failures_in_row++;
    if (circuit->failures_in_row < CIRCUIT_FAILURES_IN_ROW)
        return 0;
    return circuit_open(circuit, 1, now_ms, chance, -1);
}

int circuit_probe_due(const struct circuit *circuit, int64_t now_ms)
{
    return circuit->state == CIRCUIT_OPEN && now_ms >= circuit->probe_at_ms;
}

int circuit_probed(struct circuit *circuit, int succeeded, int64_t now_ms, double chance)
{
    /* A success counts too: if records go on failing after it, the next probe comes later. */
    if (circuit->probes_failed < 30)
        circuit->probes_failed++;
    if (circuit->state != CIRCUIT_OPEN)
        return 0;
    if (!succeeded) {
        set_probe(circuit, now_ms, chance, -1);
        return 0;
    }
    circuit->state = circuit->by_record ? CIRCUIT_HALF_OPEN : CIRCUIT_CLOSED;
    circuit->half_open_ms = now_ms;
    return circuit->state == CIRCUIT_CLOSED;
}

int circuit_may_try(const struct circuit *circuit, int again, int64_t now_ms)
{
    return circuit->state == CIRCUIT_HALF_OPEN &&
           (!again || now_ms - circuit->half_open_ms >= CIRCUIT_OTHERS_FIRST_MS);
}

void circuit_try(struct circuit *circuit) { circuit->state = CIRCUIT_TRIAL; }

void circuit_passed(struct circuit *circuit)
{
    circuit->state = CIRCUIT_CLOSED;
    circuit->failures_in_row = 0;
}

void circuit_refused(struct circuit *circuit, int64_t now_ms, double chance, int64_t wait_ms)
{
    circuit->state = CIRCUIT_OPEN;
    set_probe(circuit, now_ms, chance, wait_ms);
}

void circuit_undecided(struct circuit *circuit) { circuit->state = CIRCUIT_HALF_OPEN; }
