/* index.h - the console's index: every order of the topics in one SQLite file.
 *
 * One thread writes; readers have connections of their own (index_read.h) and never wait
 * for it. The file holds no name, no address and no e-mail, but the ledger's digest of an e-mail. It
 * can be deleted at any time: it is rebuilt from the topics. A file that is damaged, of another
 * version, or of other topics is set aside under another name, and a new one is begun.
 *
 * Records may come in any order, and twice. Records and positions are written in one transaction, so
 * a program that was killed goes on exactly where the file stands. */
#ifndef CONSOLE_INDEX_H
#define CONSOLE_INDEX_H

#include <stdint.h>

#include "base/error.h"
#include "history/order_state.h"
#include "record/event.h"
#include "settings/config.h"

struct index;

/**
 * @brief Opens the file, or begins a new one. The log says when an old file was set aside, and why.
 * @param config  kept
 * @param path    kept; its folder must exist and be writable
 * @returns new: release with index_close(). NULL with an error: permanent where a person has to do
 * something (the folder is missing, no permission, another console has the file), temporary where
 * the disk is full
 */
struct index *index_open(const struct config *config, const char *path, struct error *err);
void index_close(struct index *index);

/** @brief Begins a batch. Where a reader or the last batch found the file damaged, it is set aside
 * and a new one is begun; index_generation() is another one then. @returns 0, or -1 with an error */
int index_begin(struct index *index, struct error *err);

/** @brief Adds a record of any topic of the pipeline to the batch; others are passed over. The record
 * is read at once, and nothing is borrowed. @returns 0, or -1 with an error */
int index_apply(struct index *index, const struct event *event, struct error *err);

/**
 * @brief Forgets a person: the e-mail's digest is taken out of the orders, also of the batch and of
 * records that come later and are older than at_ms. In a transaction of its own.
 * @param digest  32 hex digits; another text, or NULL, is passed over
 * @returns 0, or -1 with an error: call it again
 */
int index_forget(struct index *index, const char *digest, int64_t at_ms, struct error *err);

/** @brief How many records the batch has. */
int index_batch_count(const struct index *index);

/** @brief Whether the batch should be written before more is added. It is limited in records and in
 * bytes, so the memory is limited whatever the records hold. */
int index_batch_is_full(const struct index *index);

/** @brief Says up to where a partition was read: next is the offset of the next record. */
void index_set_position(struct index *index, const char *topic, int32_t partition, int64_t next);

/** @brief Writes the batch and the positions in one transaction. @returns 0; -1 with an error: the
 * file is as it was before the batch, and the batch stays: call it again, or index_drop() */
int index_commit(struct index *index, struct error *err);

/** @brief Whether the file was found damaged: index_begin() begins a new one. */
int index_is_damaged(const struct index *index);

/** @brief Forgets the batch that is not written yet. */
void index_drop(struct index *index);

/** @brief Counts the files that were begun since index_open(). When it changes, all positions are
 * forgotten. Thread-safe. */
int index_generation(const struct index *index);

/** @brief The position that was set last, or -1 where the partition was never read. */
int64_t index_position(struct index *index, const char *topic, int32_t partition);

/** @brief Says which Kafka the records come from. Where it is not the one of the file, all of the
 * file is forgotten, and the log says so. @returns 0, or -1 with an error */
int index_set_cluster(struct index *index, const char *cluster, struct error *err);

/** @brief Removes orders that have a fate and no record since before_ms, a few thousand looked at in
 * each call, and goes on there in the next one. removed: out, how many. @returns 1 when all were
 * looked at, 0 when there are more, -1 with an error */
int index_prune(struct index *index, int64_t before_ms, int64_t *removed, struct error *err);

/** @brief Since when the oldest order of a list is on it, in ms since 1970. @returns 0 where the list
 * is empty or index_finish() was not called for this file yet; -1 with an error */
int64_t index_oldest_ms(struct index *index, enum order_list list, struct error *err);

/** @brief Makes the lists and searches fast, once the topics were read to their ends for the first
 * time. Cheap when it was done before. @returns 0, or -1 with an error */
int index_finish(struct index *index, struct error *err);

/** @brief Brings the file's write-ahead log back into it and makes that short. For quiet times. */
void index_checkpoint(struct index *index);

/* How far the index is. */
struct index_progress {
    int is_caught_up;    /* it was at the ends of all partitions when it looked last */
    int64_t as_of_ms;    /* every record written before this is in it, by the records' times and the
                            clocks here; -1: not known yet */
    int64_t behind_ms;   /* how old that is; 0 while it is caught up; -1: not known yet */
    int64_t records;     /* read since the start */
    int64_t left;        /* records still to be read; -1: not known yet */
    int64_t orders;      /* in the file */
    int64_t file_bytes;  /* of the file and its write-ahead log */
    int is_broker_there; /* 0: no broker can be reached */
    char trouble[256];   /* one line for people where the index cannot go on, such as a full disk;
                            "": none */
};

/** @brief Fills in orders and file_bytes; for the feed. */
void index_measure(const struct index *index, struct index_progress *progress);

/** @brief Sets what index_progress() tells; for the feed. */
void index_set_progress(struct index *index, const struct index_progress *progress);

/** @brief Thread-safe. */
void index_progress(struct index *index, struct index_progress *progress);

/** @brief The path of the file. Borrowed. */
const char *index_path(const struct index *index);

#endif
