#include "stage/window.h"

#include <stdlib.h>

#include "base/mem.h"

enum { CAPACITY_FIRST = 64 };

void window_init(struct window *window, int64_t next) { *window = (struct window){.next = next}; }

void window_clear(struct window *window)
{
    free(window->entries);
    *window = (struct window){.next = -1, .generation = window->generation + 1};
}

static struct window_entry *entry_at(const struct window *window, size_t index)
{
    return &window->entries[(window->head + index) & (window->capacity - 1)];
}

static void grow(struct window *window)
{
    size_t capacity = window->capacity > 0 ? window->capacity * 2 : CAPACITY_FIRST;
    struct window_entry *entries = mem_alloc(capacity * sizeof(*entries));

    for (size_t i = 0; i < window->count; i++)
        entries[i] = *entry_at(window, i);
    free(window->entries);
    window->entries = entries;
    window->capacity = capacity;
    window->head = 0;
}

enum window_answer window_expects(const struct window *window, int64_t offset)
{
    if (window->next < 0 || offset == window->next)
        return WINDOW_NEXT;
    return offset > window->next ? WINDOW_GAP : WINDOW_REWOUND;
}

enum window_answer window_add(struct window *window, int64_t offset)
{
    enum window_answer answer = window_expects(window, offset);

    if (answer == WINDOW_REWOUND)
        window_restart(window, offset);
    if (window->count == window->capacity)
        grow(window);
    window->count++;
    *entry_at(window, window->count - 1) = (struct window_entry){.offset = offset};
    window->next = offset + 1;
    return answer;
}

/* Finds the entry of an offset. Without gaps its place follows from the lowest offset; with gaps it
 * is at a lower place, which is found by bisection. */
static struct window_entry *find(const struct window *window, int64_t offset)
{
    size_t low = 0, high = window->count;

    if (window->count == 0 || offset < entry_at(window, 0)->offset || offset >= window->next)
        return NULL;
    if ((uint64_t)(offset - entry_at(window, 0)->offset) < window->count)
        high = (size_t)(offset - entry_at(window, 0)->offset) + 1;
    if (entry_at(window, high - 1)->offset == offset)
        return entry_at(window, high - 1);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (entry_at(window, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < window->count && entry_at(window, low)->offset == offset ? entry_at(window, low)
                                                                          : NULL;
}

int window_finish(struct window *window, uint32_t generation, int64_t offset)
{
    struct window_entry *entry = generation == window->generation ? find(window, offset) : NULL;

    if (entry == NULL || entry->finished)
        return -1;
    entry->finished = 1;
    while (window->count > 0 && entry_at(window, 0)->finished) {
        window->head = (window->head + 1) & (window->capacity - 1);
        window->count--;
    }
    return 0;
}

int64_t window_committable(const struct window *window)
{
    return window->count > 0 ? entry_at(window, 0)->offset : window->next;
}

void window_restart(struct window *window, int64_t next)
{
    window->head = 0;
    window->count = 0;
    window->next = next;
    window->generation++;
}
