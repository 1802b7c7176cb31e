/* index_list.c - lists, counts and series from the index. */
#include <stdlib.h>
#include <string.h>

#include "index_reader.h"

/* The part of the orders that a filter means. */
struct range {
    int64_t first, last; /* numbers; first > last: none */
    int64_t since_ms, before_ms;
    int64_t reason;
};

static int range_of(struct index_reader *reader, const struct index_filter *filter,
                    struct range *range, struct error *err)
{
    int64_t store;
    int found;

    *range = (struct range){.first = 0,
                            .last = INT64_MAX,
                            .since_ms = filter->since_ms > 0 ? filter->since_ms : INT64_MIN,
                            .before_ms = filter->before_ms > 0 ? filter->before_ms : INT64_MAX,
                            .reason = filter->reason};
    if (filter->store_hash == NULL)
        return 0;
    found = index_store_number(reader, text_of(filter->store_hash), &store, err);
    range->first = found == 1 ? store << INDEX_ID_BITS : 1;
    range->last = found == 1 ? range->first | (INDEX_ID_LIMIT - 1) : 0;
    return found < 0 ? -1 : 0;
}

static int is_asked(const struct index_filter *filter, int list)
{
    return filter->lists == 0 || (filter->lists & 1u << list) != 0;
}

static void bind(sqlite3_stmt *statement, int list, const struct range *range)
{
    sqlite3_bind_int64(statement, 1, list);
    sqlite3_bind_int64(statement, 2, range->since_ms);
    sqlite3_bind_int64(statement, 3, range->before_ms);
    sqlite3_bind_int64(statement, 4, range->reason);
    sqlite3_bind_int64(statement, 5, range->first);
    sqlite3_bind_int64(statement, 6, range->last);
}

void index_page_clear(struct index_page *page)
{
    for (int i = 0; i < page->count; i++)
        index_order_clear(&page->orders[i]);
    free(page->orders);
    *page = (struct index_page){0};
}

/* An order of a page, before its key is known. */
struct listed {
    int64_t since_ms, number;
    struct order_state *state; /* owned */
};

struct listing {
    struct listed *rows;
    int count, capacity;
};

static int compare(const void *a, const void *b)
{
    const struct listed *one = a, *two = b;

    if (one->since_ms != two->since_ms)
        return one->since_ms < two->since_ms ? -1 : 1;
    return (one->number > two->number) - (one->number < two->number);
}

/* Adds the first orders of one list. */
static int add_list(struct index_reader *reader, int list, const struct range *range,
                    const struct index_place *after, int limit, struct listing *listing,
                    struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_LIST, err);
    int is_set = after != NULL && after->is_set, found;

    if (statement == NULL)
        return -1;
    bind(statement, list, range);
    sqlite3_bind_int64(statement, 7, is_set ? after->since_ms : INT64_MIN);
    sqlite3_bind_int64(statement, 8, is_set ? after->number : INT64_MIN);
    sqlite3_bind_int64(statement, 9, limit);
    while ((found = index_step(reader, statement, err)) == 1) {
        struct listed *row;

        if (listing->count == listing->capacity) {
            listing->capacity = listing->capacity > 0 ? listing->capacity * 2 : 64;
            listing->rows =
                mem_realloc(listing->rows, (size_t)listing->capacity * sizeof(*listing->rows));
        }
        row = &listing->rows[listing->count];
        *row = (struct listed){sqlite3_column_int64(statement, 1),
                               sqlite3_column_int64(statement, 0), mem_alloc(sizeof(*row->state))};
        listing->count++;
        if (index_state_of(reader, statement, 2, row->state, err) != 0)
            return -1;
    }
    return found;
}

/* Makes the page of the rows that come first in all lists together. */
static int fill_page(struct index_reader *reader, const struct listing *listing, int limit,
                     struct index_page *page, struct error *err)
{
    int count = listing->count < limit ? listing->count : limit;

    page->orders = mem_alloc(((size_t)count + 1) * sizeof(*page->orders));
    for (int i = 0; i < count; i++) {
        page->orders[i].state = *listing->rows[i].state;
        page->count++;
        if (index_key_of(reader, listing->rows[i].number, page->orders[i].key, err) != 0)
            return -1;
    }
    if (listing->count > limit && count > 0)
        page->next = (struct index_place){listing->rows[count - 1].since_ms,
                                          listing->rows[count - 1].number, 1};
    return 0;
}

int index_list(struct index_reader *reader, const struct index_filter *filter,
               const struct index_place *after, int limit, struct index_page *page,
               struct error *err)
{
    struct listing listing = {0};
    struct range range;
    int rc = index_reader_begin(reader, err);

    if (rc == 0)
        rc = range_of(reader, filter, &range, err);
    for (int list = 0; list < ORDER_LIST_COUNT && rc == 0; list++)
        if (is_asked(filter, list))
            rc = add_list(reader, list, &range, after, limit + 1, &listing, err);
    if (listing.count > 1)
        qsort(listing.rows, (size_t)listing.count, sizeof(*listing.rows), compare);
    if (rc == 0)
        rc = fill_page(reader, &listing, limit, page, err);
    for (int i = 0; i < listing.count; i++)
        free(listing.rows[i].state);
    free(listing.rows);
    if (rc != 0)
        index_page_clear(page);
    return index_reader_end(reader, rc);
}

static void add_count(struct index_counts *counts, int list, int64_t reason, int64_t orders)
{
    counts->total += orders;
    counts->lists[list] += orders;
    counts->reasons[reason >= 0 && reason < REASON_COUNT ? reason : REASON_NONE] += orders;
}

/* All orders: the writer keeps their numbers. */
static int count_all(struct index_reader *reader, const struct index_filter *filter,
                     struct index_counts *counts, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_COUNTS, err);
    int found;

    if (statement == NULL)
        return -1;
    while ((found = index_step(reader, statement, err)) == 1) {
        int list = sqlite3_column_int(statement, 0);
        int64_t reason = sqlite3_column_int64(statement, 1);

        if (list >= 0 && list < ORDER_LIST_COUNT && is_asked(filter, list) &&
            (filter->reason == REASON_NONE || reason == (int64_t)filter->reason))
            add_count(counts, list, reason, sqlite3_column_int64(statement, 2));
    }
    return found;
}

static int count_some(struct index_reader *reader, int list, const struct range *range,
                      struct index_counts *counts, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_COUNT_SOME, err);
    int found;

    if (statement == NULL)
        return -1;
    bind(statement, list, range);
    while ((found = index_step(reader, statement, err)) == 1)
        add_count(counts, list, sqlite3_column_int64(statement, 0),
                  sqlite3_column_int64(statement, 1));
    return found;
}

int index_counts(struct index_reader *reader, const struct index_filter *filter,
                 struct index_counts *counts, struct error *err)
{
    struct range range;
    int rc = index_reader_begin(reader, err);

    memset(counts, 0, sizeof(*counts));
    if (rc == 0)
        rc = range_of(reader, filter, &range, err);
    if (rc == 0 && filter->store_hash == NULL && filter->since_ms <= 0 && filter->before_ms <= 0)
        return index_reader_end(reader, count_all(reader, filter, counts, err));
    for (int list = 0; list < ORDER_LIST_COUNT && rc == 0; list++)
        if (is_asked(filter, list))
            rc = count_some(reader, list, &range, counts, err);
    return index_reader_end(reader, rc);
}

/* The latencies of one step. */
struct latencies {
    int64_t *values;
    int count, capacity;
};

static void add_latency(struct latencies *list, int64_t value)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 256;
        list->values = mem_realloc(list->values, (size_t)list->capacity * sizeof(int64_t));
    }
    list->values[list->count++] = value;
}

static int compare_int64(const void *a, const void *b)
{
    const int64_t *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}

static void end_step(struct index_time_step *step, struct latencies *list)
{
    if (list->count > 0) {
        qsort(list->values, (size_t)list->count, sizeof(int64_t), compare_int64);
        step->p50_ms = list->values[(list->count - 1) / 2];
        step->p95_ms = list->values[(int64_t)(list->count - 1) * 95 / 100];
        step->max_ms = list->values[list->count - 1];
    }
    list->count = 0;
}

static int add_fates(struct index_reader *reader, int list, int64_t step_ms, int count,
                     struct index_time_step *steps, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_FATES, err);
    struct latencies latencies = {0};
    int found, at = 0;

    if (statement == NULL)
        return -1;
    sqlite3_bind_int64(statement, 1, list);
    sqlite3_bind_int64(statement, 2, steps[0].from_ms);
    sqlite3_bind_int64(statement, 3, steps[0].from_ms + step_ms * count);
    while ((found = index_step(reader, statement, err)) == 1) {
        int step = (int)((sqlite3_column_int64(statement, 0) - steps[0].from_ms) / step_ms);

        if (step != at)
            end_step(&steps[at], &latencies);
        at = step;
        steps[at].delivered += list == ORDER_LIST_DELIVERED;
        steps[at].skipped += list == ORDER_LIST_SKIPPED;
        steps[at].dead += list == ORDER_LIST_DEAD;
        if (sqlite3_column_type(statement, 1) != SQLITE_NULL)
            add_latency(&latencies, sqlite3_column_int64(statement, 1));
    }
    end_step(&steps[at], &latencies);
    free(latencies.values);
    return found;
}

int index_series(struct index_reader *reader, int64_t from_ms, int64_t step_ms, int count,
                 struct index_time_step *steps, struct error *err)
{
    int rc = index_reader_begin(reader, err);

    for (int i = 0; i < count; i++)
        steps[i] = (struct index_time_step){
            .from_ms = from_ms + step_ms * i, .p50_ms = -1, .p95_ms = -1, .max_ms = -1};
    for (int list = ORDER_LIST_SKIPPED; list <= ORDER_LIST_DELIVERED && rc == 0 && count > 0;
         list++)
        rc = add_fates(reader, list, step_ms, count, steps, err);
    return index_reader_end(reader, rc);
}

static int read_cursor(struct index_reader *reader, const char *hash,
                       struct store_position *position, struct error *err)
{
    sqlite3_stmt *statement = index_query(reader, INDEX_QUERY_CURSOR, err);
    int found;

    if (statement == NULL)
        return -1;
    sql_bind_text(statement, 1, text_of(hash));
    found = index_step(reader, statement, err);
    if (found == 1) {
        position->fence = sqlite3_column_int64(statement, 1);
        position->cursor_ms = sqlite3_column_int64(statement, 2);
        position->start_from_ms = sqlite3_column_int64(statement, 3);
        position->saved_ms = sqlite3_column_int64(statement, 4);
        position->history_id = sqlite3_column_int64(statement, 5);
        position->has_history = sqlite3_column_int(statement, 6);
        position->held = sqlite3_column_int(statement, 7);
    }
    return found < 0 ? -1 : 0;
}

int index_store_position(struct index_reader *reader, const char *hash,
                         struct store_position *position, struct error *err)
{
    store_position_init(position, hash);
    if (index_reader_begin(reader, err) != 0)
        return index_reader_end(reader, -1);
    return index_reader_end(reader, read_cursor(reader, hash, position, err));
}
