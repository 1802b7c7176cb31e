/* pool.h - the worker threads. Each delivers one record at a time, with connections of its own. A
 * record goes to the worker that has its contact in hand, so that the records of one contact stay
 * in order; if none has, it goes to an idle worker, unless its store or its lane has many already
 * (share.h). Of the records that wait for a worker, those of the orders' lane go first. A record that
 * must wait, because somebody else has its lease or because an effect may not be visible yet, is set
 * aside, and the worker takes the next one; a later record of the same contact may overtake it. So may one where more than 16
 * records of a contact wait: several workers share those, for the sake of other contacts. */
#ifndef PUSHER_POOL_H
#define PUSHER_POOL_H

#include "base/error.h"
#include "stage/stage.h"
#include "pusher.h"

struct pool;

/** @brief New; no thread runs yet. pusher: keeps. Free with pool_free(). */
struct pool *pool_new(struct pusher *pusher);

/** @brief Starts the threads. pusher->stage has to be set. */
int pool_start(struct pool *pool, struct error *err);

/** @brief Joins the threads after a stop was requested, and hands the records that are left back to
 * the stage, which does not commit them. */
void pool_stop(struct pool *pool);
void pool_free(struct pool *pool);

/** @brief Takes a record that the stage offers (stage.h), or refuses it while there is no room.
 * context: the pool */
enum stage_answer pool_offer(void *context, struct ticket *ticket, const struct event *in);

/** @brief How many records the pool can have in hand at once; the stage offers no more. */
int pool_room(const struct pool *pool);

#endif
