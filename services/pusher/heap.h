/* heap.h - things that are due at some later time; the one that is due first is on top. It never
 * grows. Pure: the caller brings the time. */
#ifndef PUSHER_HEAP_H
#define PUSHER_HEAP_H

#include <stdint.h>

struct heap_item {
    int64_t due_ms;
    void *value;
};

/* Embedded; release with heap_clear(). */
struct heap {
    struct heap_item *items;
    int count;
    int capacity;
};

void heap_init(struct heap *heap, int capacity);
void heap_clear(struct heap *heap);

/** @brief Adds one. @returns 0, or -1 when it is full */
int heap_push(struct heap *heap, int64_t due_ms, void *value);

/** @brief Takes out the thing that is due first; NULL when none is due at now_ms. Things that are
 * due at the same time come in any order. */
void *heap_pop_due(struct heap *heap, int64_t now_ms);

/** @brief When the first one is due; -1 when empty. */
int64_t heap_next_ms(const struct heap *heap);

#endif
