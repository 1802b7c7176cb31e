/* feed.h - reads every topic of the pipeline into the index.
 *
 * It joins no consumer group: it assigns every partition to itself and keeps the positions in the
 * file of the index, together with what was read. New topics and partitions are picked up while it
 * runs. While the broker is away or the disk is full it waits, and tells so. */
#ifndef CONSOLE_FEED_H
#define CONSOLE_FEED_H

#include "base/error.h"
#include "settings/config.h"

#include "index.h"

/** @brief Reads until a stop is asked for; the batch in hand is written then. @returns 0, or -1 with
 * an error where it cannot go on */
int feed_run(const struct config *config, struct index *index, struct error *err);

#endif
