/* heap.h - things that are due later, the first due on top. Bounded. Pure: the caller brings the
 * time. */
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

/** @brief The first one that is due at now_ms, taken out; NULL when there is none. Equal times: no
 * order. */
void *heap_pop_due(struct heap *heap, int64_t now_ms);

/** @brief When the first one is due; -1 when empty. */
int64_t heap_next_ms(const struct heap *heap);

#endif
