#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    PAGES_MAX = 40, /* 10,000 groups */
    FRESH_MS = 300000,
    NAME_BYTES_MAX = 1024, /* a tag's name is much shorter */
};

void groups_clear(struct groups *groups)
{
    for (int i = 0; i < groups->count; i++)
        free(groups->list[i].name);
    free(groups->list);
    *groups = (struct groups){0};
}

const char *groups_name(const struct groups *groups, int64_t id)
{
    for (int i = 0; i < groups->count; i++)
        if (groups->list[i].id == id)
            return groups->list[i].name;
    return NULL;
}

/* Adds the groups of a page. One without id or name is passed over: no tag can be named after it.
 * @returns how many are new; -1: the answer is no list of at most what was asked for */
static int take_page(struct groups *groups, struct text body)
{
    yyjson_doc *doc = yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_val *root = yyjson_doc_get_root(doc), *one;
    yyjson_arr_iter iter;
    int before = groups->count;

    if (!yyjson_arr_iter_init(root, &iter) || yyjson_arr_size(root) > BIGCOMMERCE_LINES_MAX) {
        yyjson_doc_free(doc);
        return -1;
    }
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        struct text name = json_text(yyjson_obj_get(one, "name"));
        int64_t id;

        if (text_to_int(json_text(yyjson_obj_get(one, "id")), &id) != 0 || name.length == 0 ||
            name.length > NAME_BYTES_MAX || groups_name(groups, id) != NULL)
            continue;
        if (groups->count == groups->capacity) {
            groups->capacity += 64;
            groups->list =
                mem_realloc(groups->list, (size_t)groups->capacity * sizeof(*groups->list));
        }
        groups->list[groups->count++] =
            (struct group){id, mem_printf("%.*s", (int)name.length, name.data)};
    }
    yyjson_doc_free(doc);
    return groups->count - before;
}

/* Reads the list, page by page until one brings nothing new. */
static enum outcome read_list(struct groups *groups, struct asker *asker, struct error *err)
{
    struct groups found = {0};
    enum outcome outcome = OUTCOME_OK;
    int more = 1;

    for (int page = 1; more > 0 && page <= PAGES_MAX; page++) {
        const struct ask what = {.kind = ASK_GROUPS, .page = page};
        enum bigcommerce_answer answer;
        struct text body;

        outcome = ask(asker, &what, &answer, &body, err);
        if (outcome == OUTCOME_OK && answer != BIGCOMMERCE_OK)
            outcome = answer == BIGCOMMERCE_CLOSED ? OUTCOME_CLOSED : OUTCOME_TROUBLE;
        if (outcome != OUTCOME_OK)
            break;
        more = body.length == 0 ? 0 : take_page(&found, body);
        if (more < 0) {
            error_set(err, ERROR_TEMPORARY, "the store's answer has no list of customer groups");
            outcome = OUTCOME_TROUBLE;
        }
    }
    if (outcome != OUTCOME_OK) {
        groups_clear(&found);
        return outcome;
    }
    found.was_read = 1;
    found.read_ms = clock_monotonic_ms();
    groups_clear(groups);
    *groups = found;
    return OUTCOME_OK;
}

enum outcome groups_prepare(struct groups *groups, struct asker *asker, int64_t id, int64_t seen_ms,
                            struct error *err)
{
    int known = groups_name(groups, id) != NULL || groups->read_ms >= seen_ms;

    if (groups->was_read && known && clock_monotonic_ms() - groups->read_ms < FRESH_MS)
        return OUTCOME_OK;
    return read_list(groups, asker, err);
}
