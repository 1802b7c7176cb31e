#include "heap.h"

#include <stdlib.h>

#include "base/mem.h"

void heap_init(struct heap *heap, int capacity)
{
    heap->items = mem_alloc((size_t)capacity * sizeof(*heap->items));
    heap->capacity = capacity;
    heap->count = 0;
}

void heap_clear(struct heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->count = heap->capacity = 0;
}

static void swap(struct heap *heap, int a, int b)
{
    struct heap_item item = heap->items[a];

    heap->items[a] = heap->items[b];
    heap->items[b] = item;
}

int heap_push(struct heap *heap, int64_t due_ms, void *value)
{
    int i = heap->count;

    if (heap->count == heap->capacity)
        return -1;
    heap->items[heap->count++] = (struct heap_item){due_ms, value};
    for (; i > 0 && heap->items[(i - 1) / 2].due_ms > heap->items[i].due_ms; i = (i - 1) / 2)
        swap(heap, i, (i - 1) / 2);
    return 0;
}

void *heap_pop_due(struct heap *heap, int64_t now_ms)
{
    void *value;

    if (heap->count == 0 || heap->items[0].due_ms > now_ms)
        return NULL;
    value = heap->items[0].value;
    heap->items[0] = heap->items[--heap->count];
    for (int i = 0;;) {
        int first = i;

        for (int child = 2 * i + 1; child <= 2 * i + 2 && child < heap->count; child++)
            if (heap->items[child].due_ms < heap->items[first].due_ms)
                first = child;
        if (first == i)
            return value;
        swap(heap, i, first);
        i = first;
    }
}

int64_t heap_next_ms(const struct heap *heap)
{
    return heap->count == 0 ? -1 : heap->items[0].due_ms;
}
