#include "ledger/seen.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct ledger_seen {
    pthread_mutex_t lock; /* guards last */
    struct ledger_note last;
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

struct ledger_note ledger_seen_get(struct ledger_seen *seen)
{
    struct ledger_note note;

    pthread_mutex_lock(&seen->lock);
    note = seen->last;
    pthread_mutex_unlock(&seen->lock);
    return note;
}

void ledger_seen_add(struct ledger_seen *seen, const struct ledger_note *note)
{
    pthread_mutex_lock(&seen->lock);
    if (note->epoch > seen->last.epoch ||
        (note->epoch == seen->last.epoch && note->writes > seen->last.writes))
        seen->last = *note;
    pthread_mutex_unlock(&seen->lock);
}
