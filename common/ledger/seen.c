#include "ledger/seen.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct ledger_seen {
    pthread_mutex_t lock; /* protects last */
    struct ledger_write last;
};

struct ledger_seen *ledger_seen_new(void)
{
    struct ledger_seen *seen = mem_alloc(sizeof(*seen));

    pthread_mutex_init(&seen->lock, NULL);
    return seen;
}

void ledger_seen_free(struct ledger_seen *seen)
{
    if (seen == NULL)
        return;
    pthread_mutex_destroy(&seen->lock);
    free(seen);
}

struct ledger_write ledger_seen_get(struct ledger_seen *seen)
{
    struct ledger_write last;

    pthread_mutex_lock(&seen->lock);
    last = seen->last;
    pthread_mutex_unlock(&seen->lock);
    return last;
}

void ledger_seen_add(struct ledger_seen *seen, const struct ledger_write *write)
{
    pthread_mutex_lock(&seen->lock);
    if (write->epoch > seen->last.epoch ||
        (write->epoch == seen->last.epoch && write->writes > seen->last.writes))
        seen->last = *write;
    pthread_mutex_unlock(&seen->lock);
}
