#include "ledger/ledger.h"

#include <inttypes.h>
#include <stdio.h>

#include "net/redis_watch.h"
#include "command.h"

int ledger_distrust_run(const struct config *config, const struct command_line *line,
                        struct error *err)
{
    struct ledger_settings settings = ledger_settings_of(config);
    struct ledger *ledger;
    int rc;

    (void)line;
    if (redis_refuse_cluster(config, err) != 0)
        return -1;
    ledger = ledger_new(&settings);
    rc = ledger_distrust(ledger, err);

    if (rc == 0)
        printf("delivery ledger: distrusted; it is filled in from Kafka before anything is "
               "delivered\n");
    ledger_free(ledger);
    return rc;
}
