#include "known_products.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "call.h"

struct known_products {
    pthread_mutex_t lock; /* never held during a call */
    struct known_list list;
    int miss_count;
    int is_reading;        /* a worker reads the list */
    int64_t reading_since; /* when the last reading began; monotonic */
    int is_read;
    int is_complete;
    int64_t epoch;      /* of the ledger when it was read */
    int64_t not_before; /* monotonic: when it may be tried again */
};

struct known_products *known_products_new(void)
{
    struct known_products *known = mem_alloc(sizeof(*known));

    pthread_mutex_init(&known->lock, NULL);
    return known;
}

void known_products_free(struct known_products *known)
{
    if (known == NULL)
        return;
    known_list_clear(&known->list);
    pthread_mutex_destroy(&known->lock);
    free(known);
}

int known_list_add(struct known_list *list, yyjson_val *products)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(products);
    yyjson_val *one;
    int rc = 0;

    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *sku = yyjson_obj_get(one, "sku");
        struct text text = yyjson_is_str(sku) ? text_trim(json_text(sku)) : (struct text){0};
        struct known_entry *entry;
        char id[32];

        if (!yyjson_is_str(sku) && !json_is_absent(sku))
            rc = -1;
        if (text.length == 0 || infusionsoft_id(one, id)[0] == '\0')
            continue;
        if (list->count == list->capacity) {
            list->capacity = list->capacity * 2 + 64;
            list->entries =
                mem_realloc(list->entries, (size_t)list->capacity * sizeof(*list->entries));
        }
        entry = &list->entries[list->count++];
        digest_hex_nocase(entry->digest, text);
        snprintf(entry->id, sizeof(entry->id), "%s", id);
    }
    return rc;
}

/* Ids are numbers in text without leading zeros. */
static int compare(const void *left, const void *right)
{
    const struct known_entry *a = left, *b = right;
    int order = strcmp(a->digest, b->digest);
    size_t a_length = strlen(a->id), b_length = strlen(b->id);

    if (order != 0)
        return order;
    return a_length != b_length ? (a_length > b_length) - (a_length < b_length)
                                : strcmp(a->id, b->id);
}

void known_list_sort(struct known_list *list)
{
    int kept = 0;

    if (list->count == 0)
        return;
    qsort(list->entries, (size_t)list->count, sizeof(*list->entries), compare);
    for (int i = 1; i < list->count; i++)
        if (strcmp(list->entries[i].digest, list->entries[kept].digest) != 0)
            list->entries[++kept] = list->entries[i];
    list->count = kept + 1;
}

static int compare_digest(const void *digest, const void *entry)
{
    return strcmp(digest, ((const struct known_entry *)entry)->digest);
}

struct known_entry *known_list_find(const struct known_list *list, const char *digest)
{
    return list->count == 0 ? NULL
                            : bsearch(digest, list->entries, (size_t)list->count,
                                      sizeof(*list->entries), compare_digest);
}

void known_list_clear(struct known_list *list)
{
    free(list->entries);
    *list = (struct known_list){0};
}

/* Reads the pages into the list.
 * @param is_complete  out: what is not in the list, the account does not have */
static enum progress read_pages(struct delivery *d, struct known_list *list, int *is_complete)
{
    struct lookup_pages pages = {.path = "/products", .member = "products"};
    yyjson_val *products = NULL, *next;
    enum progress progress = PROGRESS_OK;
    int unclear = 0;

    buffer_reset(&d->texts.query);
    buffer_printf(&d->texts.query, "page_size=%d", KNOWN_PAGE_SIZE);
    while (pages.read_count < KNOWN_PAGES_MAX &&
           (progress = lookup_next_page(d, &pages, &products)) == PROGRESS_OK && products != NULL)
        unclear |= known_list_add(list, products) != 0;
    buffer_clear(&pages.token);
    next = yyjson_obj_get(infusionsoft_answer(d->client)->root, "next_page_token");
    /* The reading also ends at an empty page and at a token that comes again. */
    *is_complete = pages.ended && !unclear && yyjson_get_len(next) == 0;
    known_list_sort(list);
    return progress;
}

/* Reads the list. The lock is held, but not while it waits for the account. A list that cannot be read
 * is no reason for the order to fail: its products are looked up singly. */
static enum progress read_list(struct delivery *d, struct known_products *known, int64_t epoch)
{
    const char *account = account_config(d->account)->name;
    struct known_list list = {0};
    enum progress progress;
    int is_complete;

    known->is_reading = 1;
    known->reading_since = clock_monotonic_ms();
    pthread_mutex_unlock(&known->lock);
    progress = read_pages(d, &list, &is_complete);
    pthread_mutex_lock(&known->lock);
    known->is_reading = 0;
    known->not_before = known->reading_since + KNOWN_AGAIN_MS;
    if (progress != PROGRESS_OK) {
        known_list_clear(&list);
        log_warn("known_products_unreadable account=%s error=\"%s\"", account, d->detail);
        if (progress != PROGRESS_REFUSED && progress != PROGRESS_FAILED)
            return progress;
        d->answer[0] = d->detail[0] = '\0'; /* a later failure has a cause of its own */
        return PROGRESS_OK;
    }
    known->is_read = 1;
    known->list = list; /* it was empty: a list is read once */
    known->is_complete = is_complete;
    known->epoch = epoch;
    log_info("known_products account=%s products=%d complete=%s", account, list.count,
             is_complete ? "yes" : "no");
    return PROGRESS_OK;
}

enum progress known_products_find(struct delivery *d, struct known_products *known,
                                  const char *digest, int64_t epoch, char id[64], int *is_sure)
{
    const struct known_entry *entry;
    enum progress progress = PROGRESS_OK;
    int64_t now_ms = clock_monotonic_ms();

    id[0] = '\0';
    *is_sure = 0;
    pthread_mutex_lock(&known->lock);
    if (known->is_reading && now_ms - known->reading_since < KNOWN_WAIT_MS) {
        d->wait_ms = KNOWN_LOOK_MS;
        progress = PROGRESS_LATER;
    } else if (!known->is_reading && !known->is_read && ++known->miss_count > KNOWN_MISSES &&
               now_ms >= known->not_before) {
        progress = read_list(d, known, epoch);
    }
    entry = known_list_find(&known->list, digest);
    if (progress == PROGRESS_OK && entry != NULL)
        snprintf(id, 64, "%s", entry->id);
    *is_sure = progress == PROGRESS_OK && entry == NULL && known->is_complete &&
               known->epoch == epoch &&
               clock_monotonic_ms() - known->reading_since < KNOWN_FRESH_MS;
    pthread_mutex_unlock(&known->lock);
    return progress;
}

void known_products_forget(struct known_products *known, const char *digest)
{
    struct known_entry *entry;

    pthread_mutex_lock(&known->lock);
    entry = known_list_find(&known->list, digest);
    if (entry != NULL)
        entry->id[0] = '\0';
    pthread_mutex_unlock(&known->lock);
}
