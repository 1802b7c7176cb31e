/* window.h - the offsets of one partition that are under way, and how far its commit may go.
 * Pure: no Kafka, no clock. Used by the stage; one window for each assigned partition.
 *
 * Offsets are added in the order in which the consumer hands them over and finished in any order.
 * The commit follows the lowest unfinished one, so nothing that is still under way is ever behind
 * it. */
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
    uint32_t generation; /* counts window_restart() */
};

enum window_answer {
    WINDOW_NEXT = 0, /* the expected offset, or the first one */
    WINDOW_GAP,      /* higher than expected: the ones between were not handed over */
    WINDOW_REWOUND,  /* lower than expected: reading began again further back */
};

/** @brief An empty window that expects offset next, or any where next is -1. */
void window_init(struct window *window, int64_t next);
void window_clear(struct window *window);

/** @brief What the offset would be to this window; changes nothing. */
enum window_answer window_expects(const struct window *window, int64_t offset);

/**
 * @brief Adds an offset that is under way from now on. After a rewind the window is restarted
 * first: what was under way is forgotten and done again. (Records are never dropped as known: in a
 * topic that was made anew, or cut by its broker, a known offset holds another record.)
 */
enum window_answer window_add(struct window *window, int64_t offset);

/**
 * @brief The offset is finished.
 * @param generation  the window's when the offset was added
 * @returns 0; -1 when it is not under way here: of an earlier generation, finished before, never
 * added
 */
int window_finish(struct window *window, uint32_t generation, int64_t offset);

/** @brief The offset to commit: the lowest unfinished one, else the one expected next; -1 when
 * nothing was added yet. */
int64_t window_committable(const struct window *window);

/** @brief Forgets all entries; finishing them later does nothing. Expects next, or any where it is
 * -1. */
void window_restart(struct window *window, int64_t next);

#endif
