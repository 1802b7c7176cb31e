/* test_cursor_store.c - the cursor against a simulated store, which changes while it is read. In
 * the end every order must have been seen in its newest version. The store's limits are inclusive
 * or exclusive, orders of the same second come in any order, and some orders cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bigcommerce/cursor.h"

enum { ORDERS_MAX = 400, ROWS_MAX = 64, REQUESTS_MAX = 20000, START_MS = 1500000000 };

struct sim_order {
    int64_t id;
    int64_t modified_ms;
    int64_t visible_ms; /* it may become visible later than its date says */
    int poison;         /* a page that holds it cannot be read */
    int failing;        /* how many times it is seen but not dealt with */
    int64_t seen_ms;    /* date of the version that was dealt with; -1: none */
};

/* A store, and the random numbers that decide how it changes. */
struct sim {
    const char *name;
    struct sim_order orders[ORDERS_MAX];
    int count;
    int64_t now_ms;
    uint64_t chance;
    int exclusive;    /* orders exactly at min_date_modified or max_date_modified are left out */
    int exclusive_id; /* the order whose id is min_id is left out */
    int cap;          /* rows on a page at most, whatever limit asks for; 0: none */
    int unsorted;     /* the store ignores the sort parameter */
    int requests;
};

static uint32_t draw(struct sim *sim, uint32_t below)
{
    sim->chance = sim->chance * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(sim->chance >> 33) % below;
}

static struct sim_order *add_order(struct sim *sim, int64_t modified_ms)
{
    struct sim_order *order = &sim->orders[sim->count];

    assert_true(sim->count < ORDERS_MAX);
    /* Ids have gaps. */
    *order = (struct sim_order){.id = 100 + 3 * sim->count + draw(sim, 3),
                                .modified_ms = modified_ms,
                                .visible_ms = modified_ms,
                                .seen_ms = -1};
    sim->count++;
    return order;
}

static int by_id;
static uint32_t salt; /* orders of the same second come in another order at each request */

static int compare(const void *left, const void *right)
{
    const struct sim_order *a = *(struct sim_order *const *)left;
    const struct sim_order *b = *(struct sim_order *const *)right;
    uint32_t mix_a = ((uint32_t)a->id * 2654435761u) ^ salt;
    uint32_t mix_b = ((uint32_t)b->id * 2654435761u) ^ salt;

    if (!by_id && a->modified_ms != b->modified_ms)
        return a->modified_ms < b->modified_ms ? -1 : 1;
    if (!by_id)
        return mix_a < mix_b ? -1 : 1;
    return a->id < b->id ? -1 : 1;
}

static int matches(const struct sim *sim, const struct sim_order *order,
                   const struct cursor_query *query)
{
    int64_t edge = sim->exclusive ? 1 : 0;

    if (order->visible_ms > sim->now_ms || order->modified_ms > query->max_ms - edge)
        return 0;
    if (query->min_ms >= 0 && order->modified_ms < query->min_ms + edge)
        return 0;
    return query->min_id < 0 || order->id >= query->min_id + (sim->exclusive_id ? 1 : 0);
}

/* @returns number of rows; rows point into the store */
static int answer(struct sim *sim, const struct cursor_query *query, struct sim_order **rows)
{
    struct sim_order *found[ORDERS_MAX] = {0};
    int limit = sim->cap > 0 && sim->cap < query->limit ? sim->cap : query->limit;
    int count = 0, first = (query->page - 1) * limit, given = 0;

    assert_true(++sim->requests < REQUESTS_MAX);
    assert_in_range(query->limit, 1, ROWS_MAX);
    for (int i = 0; i < sim->count; i++)
        if (matches(sim, &sim->orders[i], query))
            found[count++] = &sim->orders[i];
    by_id = query->by_id || sim->unsorted;
    salt = draw(sim, UINT32_MAX);
    qsort(found, (size_t)count, sizeof(*found), compare);
    for (int i = first; i < count && given < limit; i++)
        rows[given++] = found[i];
    return given;
}

/* Deals with the orders of a page, as reading.c does. @returns 0, or -1 when the cursor says that
 * the store gives the same orders again and again */
static int take(struct cursor *cursor, struct sim_order **found, int count)
{
    struct cursor_row rows[ROWS_MAX];

    for (int i = 0; i < count; i++) {
        rows[i] = (struct cursor_row){found[i]->id, found[i]->modified_ms};
        if (found[i]->failing > 0) {
            found[i]->failing--;
            cursor_hold(cursor, found[i]->modified_ms);
        } else {
            found[i]->seen_ms = found[i]->modified_ms;
        }
    }
    return cursor_page(cursor, rows, count);
}

static int has_poison(struct sim_order **found, int count)
{
    for (int i = 0; i < count; i++)
        if (found[i]->poison)
            return 1;
    return 0;
}

/* Runs one round. Between its requests, change() changes the store, unless it is NULL. */
static void run_round(struct sim *sim, struct cursor *cursor, int64_t overlap_ms,
                      void (*change)(struct sim *sim))
{
    struct cursor_query query;
    struct sim_order *found[ROWS_MAX];

    cursor_begin(cursor, sim->now_ms - 2000, overlap_ms, 0);
    while (cursor_next(cursor, &query)) {
        int count = answer(sim, &query, found);

        if (has_poison(found, count)) {
            if (cursor_shrink(cursor) == 0)
                continue;
            found[0]->seen_ms = found[0]->modified_ms; /* it would be published as dead */
            cursor_skip(cursor);
            continue;
        }
        if (take(cursor, found, count) != 0)
            fail_msg("%s: the cursor sees no progress", sim->name);
        if (change != NULL)
            change(sim);
    }
}

static void expect_all_seen(const struct sim *sim)
{
    for (int i = 0; i < sim->count; i++)
        if (sim->orders[i].seen_ms != sim->orders[i].modified_ms)
            fail_msg("%s: order %lld of %lld was seen as of %lld", sim->name,
                     (long long)sim->orders[i].id, (long long)sim->orders[i].modified_ms,
                     (long long)sim->orders[i].seen_ms);
}

/* Changes between two requests */

static void edit_one(struct sim *sim)
{
    struct sim_order *order = &sim->orders[draw(sim, (uint32_t)sim->count)];

    sim->now_ms += 1000 * draw(sim, 2);
    order->modified_ms = order->visible_ms = sim->now_ms - sim->now_ms % 1000;
}

static void edit_many(struct sim *sim)
{
    sim->now_ms += 1000;
    if (draw(sim, 4) == 0)
        for (int i = 0; i < sim->count; i++)
            if (draw(sim, 3) == 0)
                sim->orders[i].modified_ms = sim->orders[i].visible_ms =
                    sim->now_ms - sim->now_ms % 1000;
}

/* Places an order that becomes visible up to 8 s after the date that it carries. */
static void place_late(struct sim *sim)
{
    sim->now_ms += 1000 * draw(sim, 3);
    if (sim->count < ORDERS_MAX - 1)
        add_order(sim, (sim->now_ms - sim->now_ms % 1000) - 1000 * draw(sim, 9))->visible_ms =
            sim->now_ms;
}

static const struct scenario {
    const char *name;
    int orders;
    uint32_t spread_s; /* dates lie within so many seconds; with few, many are the same */
    uint32_t poison_one_in;
    uint32_t failing_one_in;
    int unsorted;
    void (*change)(struct sim *sim);
} scenarios[] = {
    {"empty store", 0, 1, 0, 0, 0, NULL},
    {"quiet", 200, 10000, 0, 0, 0, NULL},
    {"ties in some seconds", 200, 40, 0, 0, 0, NULL},
    {"all in one second", 200, 1, 0, 0, 0, NULL},
    {"all in two seconds", 200, 2, 0, 0, 0, NULL},
    {"pages shift while read", 200, 300, 0, 0, 0, edit_one},
    {"one second shifts while read", 200, 1, 0, 0, 0, edit_one},
    {"bulk edits while read", 150, 1000, 0, 0, 0, edit_many},
    {"late commits", 100, 200, 0, 0, 0, place_late},
    {"unreadable orders", 150, 500, 20, 0, 0, NULL},
    {"unreadable orders in one second", 60, 1, 20, 0, 0, NULL},
    {"unreadable orders, pages shift", 150, 100, 30, 0, 0, edit_one},
    {"own calls fail for a while", 100, 200, 0, 10, 0, edit_one},
    {"the store does not sort", 150, 500, 0, 0, 1, NULL},
    {"the store does not sort, pages shift", 150, 500, 0, 0, 1, edit_one},
};

static void run_scenario(const struct scenario *scenario, uint32_t seed, int exclusive,
                         int page_size)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    struct cursor cursor;
    static const int caps[] = {0, 1, 2, 5};
    char name[160];

    sim->chance = seed * 7919 + 17;
    sim->exclusive = exclusive;
    sim->exclusive_id = seed % 2;
    sim->cap = scenario->unsorted ? 0 : caps[seed / 2 % 4];
    snprintf(name, sizeof(name), "%s (seed %u, dates %s, ids %s, pages of %d, at most %d)",
             scenario->name, seed, exclusive ? "exclusive" : "inclusive",
             sim->exclusive_id ? "exclusive" : "inclusive", page_size, sim->cap);
    sim->name = name;
    sim->unsorted = scenario->unsorted;
    for (int i = 0; i < scenario->orders; i++) {
        struct sim_order *order =
            add_order(sim, START_MS + 1000 * (int64_t)draw(sim, scenario->spread_s));

        if (scenario->poison_one_in > 0 && draw(sim, scenario->poison_one_in) == 0)
            order->poison = 1;
        if (scenario->failing_one_in > 0 && draw(sim, scenario->failing_one_in) == 0)
            order->failing = 1 + (int)draw(sim, 3);
    }
    sim->now_ms = START_MS + 1000 * (int64_t)scenario->spread_s + 60000;
    cursor_init(&cursor, -1, page_size);
    for (int round = 0; round < 6; round++) {
        run_round(sim, &cursor, 10000, round < 2 ? scenario->change : NULL);
        sim->now_ms += 4000;
        if (draw(sim, 3) == 0) /* restarted from what was saved */
            cursor_init(&cursor, cursor.position_ms, page_size);
    }
    expect_all_seen(sim);
    free(sim);
}

static void sees_everything(void **state)
{
    static const int page_sizes[] = {1, 2, 3, 7, 50};

    (void)state;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
        for (uint32_t seed = 0; seed < 25; seed++)
            for (size_t j = 0; j < sizeof(page_sizes) / sizeof(*page_sizes); j++)
                for (int exclusive = 0; exclusive < 2; exclusive++)
                    if (!scenarios[i].unsorted || page_sizes[j] >= 50)
                        run_scenario(&scenarios[i], seed, exclusive, page_sizes[j]);
}

/* A first start from the past. The history is read by id, a few pages in each round, while the
 * window brings what changes. Now and then both are restarted from what was saved. */
static void run_history(const struct scenario *scenario, uint32_t seed, int page_size)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    struct cursor window, history;
    struct cursor_query query;
    struct sim_order *found[ROWS_MAX];
    char name[160];
    int64_t until_ms;

    snprintf(name, sizeof(name), "history: %s (seed %u, pages of %d)", scenario->name, seed,
             page_size);
    sim->name = name;
    sim->chance = seed * 104729 + 5;
    sim->exclusive = seed % 2;
    sim->exclusive_id = seed / 2 % 2;
    sim->cap = seed / 4 % 2 ? 3 : 0;
    for (int i = 0; i < scenario->orders; i++)
        add_order(sim, START_MS + 1000 * (int64_t)draw(sim, scenario->spread_s));
    until_ms = START_MS + 1000 * (int64_t)scenario->spread_s;
    sim->now_ms = until_ms + 500;
    cursor_init(&window, until_ms, page_size);
    cursor_init(&history, -1, page_size);
    cursor_walk(&history, until_ms, 0, -1);
    for (int round = 0; round < 2000 && (round < 6 || !history.done); round++) {
        run_round(sim, &window, 10000, round < 40 ? scenario->change : NULL);
        for (int pages = draw(sim, 4); pages > 0 && cursor_next(&history, &query); pages--) {
            int count = answer(sim, &query, found);

            assert_int_equal(query.by_id, 1);
            if (take(&history, found, count) != 0)
                fail_msg("%s: the history sees no progress", name);
        }
        sim->now_ms += 2000;
        if (draw(sim, 5) == 0) { /* restarted from what was saved */
            int64_t last_id = history.last_id;
            int done = history.done;

            cursor_init(&window, window.position_ms, page_size);
            cursor_init(&history, -1, page_size);
            cursor_walk(&history, until_ms, 0, last_id);
            history.done = done;
        }
    }
    sim->now_ms += 2000;
    run_round(sim, &window, 10000, NULL);
    expect_all_seen(sim);
    free(sim);
}

static void walks_the_history_beside_the_window(void **state)
{
    static const int page_sizes[] = {1, 7, 50};

    (void)state;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
        for (uint32_t seed = 0; seed < 24; seed++)
            for (size_t j = 0; j < sizeof(page_sizes) / sizeof(*page_sizes); j++)
                if (scenarios[i].poison_one_in == 0 && scenarios[i].failing_one_in == 0 &&
                    !scenarios[i].unsorted)
                    run_history(&scenarios[i], seed, page_sizes[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_everything),
        cmocka_unit_test(walks_the_history_beside_the_window),
    };

    return cmocka_run_group_tests_name("cursor_store", tests, NULL, NULL);
}
