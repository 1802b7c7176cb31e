#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>

#include "command.h"

enum { REDIS_TIMEOUT_MS = 5000 };

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

int ledger_distrust_run(const struct config *config, struct error *err)
{
    struct ledger_settings settings = {
        .url = config->redis.url,
        .prefix = config->kafka.topic_prefix,
        .lease_ms = config->pusher.lease_s * 1000,
        .visibility_delay_ms = config->pusher.visibility_delay_s * 1000,
        .keep_ms = config->redis.ledger_keep_days * day_ms,
        .born_margin_ms = config->redis.born_margin_s * 1000,
        .timeout_ms = REDIS_TIMEOUT_MS,
    };
    struct ledger *ledger = ledger_new(&settings);
    int rc = ledger_distrust(ledger, err);

    if (rc == 0)
        printf("delivery ledger: distrusted; it is filled in from Kafka before anything is "
               "delivered\n");
    ledger_free(ledger);
    return rc;
}
