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
    pthread_mutex_t lock; /* held while the list is read: whoever needs it waits for it */
    struct known_list list;
    int miss_count;
    int is_read;
    int is_complete;
    int64_t epoch;      /* of the ledger when it was read */
    int64_t read_ms;    /* when its reading began; monotonic */
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

void known_list_add(struct known_list *list, yyjson_val *products)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(products);
    yyjson_val *one;

    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *sku = yyjson_obj_get(one, "sku");
        struct text text = yyjson_is_str(sku) ? text_trim(json_text(sku)) : (struct text){0};
        struct known_entry *entry;
        char id[32];

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

/* Reads the pages into the list. The lock is held. */
static enum progress read_pages(struct delivery *d, struct known_products *known)
{
    struct lookup_pages pages = {.path = "/products", .member = "products"};
    yyjson_val *products = NULL;
    enum progress progress = PROGRESS_OK;

    known_list_clear(&known->list);
    buffer_reset(&d->texts.query);
    buffer_printf(&d->texts.query, "page_size=%d", KNOWN_PAGE_SIZE);
    while (pages.read_count < KNOWN_PAGES_MAX &&
           (progress = lookup_next_page(d, &pages, &products)) == PROGRESS_OK && products != NULL)
        known_list_add(&known->list, products);
    buffer_clear(&pages.token);
    if (progress == PROGRESS_OK)
        known_list_sort(&known->list);
    else
        known_list_clear(&known->list);
    known->is_complete = progress == PROGRESS_OK && pages.ended;
    return progress;
}

/* Reads the list, or says why not. A list that cannot be read is no reason for the order to fail: its
 * products are looked up singly. */
static enum progress read_list(struct delivery *d, struct known_products *known, int64_t epoch)
{
    int64_t now_ms = clock_monotonic_ms();
    enum progress progress;

    if (now_ms < known->not_before)
        return PROGRESS_OK;
    progress = read_pages(d, known);
    known->not_before = now_ms + KNOWN_AGAIN_MS;
    if (progress != PROGRESS_OK) {
        log_warn("known_products_unreadable account=%s error=\"%s\"",
                 account_config(d->account)->name, d->detail);
        return progress == PROGRESS_REFUSED ? PROGRESS_OK : progress;
    }
    known->is_read = 1;
    known->read_ms = now_ms;
    known->epoch = epoch;
    log_info("known_products account=%s products=%d complete=%s", account_config(d->account)->name,
             known->list.count, known->is_complete ? "yes" : "no");
    return PROGRESS_OK;
}

enum progress known_products_find(struct delivery *d, struct known_products *known,
                                  const char *digest, int64_t epoch, char id[64], int *is_sure)
{
    const struct known_entry *entry;
    enum progress progress = PROGRESS_OK;

    id[0] = '\0';
    *is_sure = 0;
    pthread_mutex_lock(&known->lock);
    if (!known->is_read && ++known->miss_count > KNOWN_MISSES)
        progress = read_list(d, known, epoch);
    entry = known_list_find(&known->list, digest);
    if (progress == PROGRESS_OK && entry != NULL)
        snprintf(id, 64, "%s", entry->id);
    *is_sure = progress == PROGRESS_OK && entry == NULL && known->is_complete &&
               known->epoch == epoch && clock_monotonic_ms() - known->read_ms < KNOWN_FRESH_MS;
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
