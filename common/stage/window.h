/* window.h - the offsets of one partition whose records are under way, and how far its commit may
 * go. Pure: no Kafka, no clock. The stage has one window for each assigned partition.
 *
 * Offsets are added in the order in which the consumer hands them over, and are finished in any
 * order. The offset to commit is the lowest unfinished one, so no record that is still under way is
 * ever behind the commit. */
#ifndef COMMON_WINDOW_H
#define COMMON_WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct window_entry {
    int64_t offset;
    int finished;
};

/* Embedded, zero-initialised by window_init(). A ring of entries in ascending order of offset. */
struct window {
    struct window_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t head;     /* index of the lowest entry, modulo capacity */
    size_t count;
    int64_t next;        /* the offset expected next; -1: any */
    uint32_t generation; /* how often window_restart() was called */
};

enum window_answer {
    WINDOW_NEXT = 0, /* it is the expected offset, or the first one */
    WINDOW_GAP,      /* it is higher than expected: the offsets between were not handed over */
    WINDOW_REWOUND,  /* it is lower than expected: the partition is read again from further back */
};

/** @brief Makes an empty window that expects the offset next; -1: any. */
void window_init(struct window *window, int64_t next);
void window_clear(struct window *window);

/** @brief Compares an offset with the expected one. Changes nothing. */
enum window_answer window_expects(const struct window *window, int64_t offset);

/**
 * @brief Adds an offset that is under way from now on.
 *
 * After a rewind the window is restarted first: what was under way is forgotten and done again. A
 * record is never dropped because its offset is known already: in a topic that was made anew, or
 * cut by its broker, that offset holds another record.
 */
enum window_answer window_add(struct window *window, int64_t offset);

/**
 * @brief Marks an offset as finished.
 * @param generation  the window's generation when the offset was added
 * @returns 0; -1 when it is not under way here: it is of an earlier generation, was finished
 * before, or was never added
 */
int window_finish(struct window *window, uint32_t generation, int64_t offset);

/** @brief The offset to commit: the lowest unfinished one; where all are finished, the expected
 * one; -1 when nothing was added yet. */
int64_t window_committable(const struct window *window);

/** @brief Forgets all entries; finishing them later has no effect. Expects next, or any offset
 * where next is -1. */
void window_restart(struct window *window, int64_t next);

#endif
