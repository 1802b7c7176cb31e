/* poll_context.h - what everything that reads one store shares. All pointers are borrowed. */
#ifndef POLLER_POLL_CONTEXT_H
#define POLLER_POLL_CONTEXT_H

#include "bigcommerce/ask.h"
#include "net/redis.h"
#include "record/topic.h"
#include "settings/config.h"

#include "batch.h"

struct poll_context {
    const struct config *config;
    const struct config_store *store;
    const struct topics *topics;
    struct batches *batches;
    struct redis *redis;
    struct asker *asker;
};

#endif
