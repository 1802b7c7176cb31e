/* pool.h - the worker threads: each delivers one record at a time with its own connections. A
 * record goes to the worker that has its contact in hand, so that one contact's records stay in
 * order, else to an idle one. A record that must wait (somebody else has its lease, an unseen
 * effect may still show) is set aside and the next one goes on. */
#ifndef PUSHER_POOL_H
#define PUSHER_POOL_H

#include "base/error.h"
#include "stage/stage.h"
#include "pusher.h"

struct pool;

/** @brief New; no thread runs yet. pusher: keeps. Free with pool_free(). */
struct pool *pool_new(struct pusher *pusher);

/** @brief Starts the threads; pusher->stage is set by now. */
int pool_start(struct pool *pool, struct error *err);

/** @brief Joins the threads (a stop was asked for); what is left over is abandoned. */
void pool_stop(struct pool *pool);
void pool_free(struct pool *pool);

/** @brief The stage's offer (stage.h): context is the pool. */
int pool_offer(void *context, struct ticket *ticket, const struct event *in);

/** @brief How many records may be in the pool's hands at once: what the stage is told. */
int pool_room(const struct pool *pool);

#endif
