#include "lookup.h"

#include <stdio.h>
#include <string.h>
#include "call.h"

int lookup_take_lower(char id[64], const char *its)
{
    size_t length = strlen(id), its_length = strlen(its);

    if (its_length == 0 || its_length >= 64 ||
        (length > 0 && (its_length > length || (its_length == length && strcmp(its, id) >= 0))))
        return 0;
    snprintf(id, 64, "%s", its);
    return 1;
}

int lookup_take_next(struct lookup_pages *pages, yyjson_val *root, yyjson_val *list)
{
    const char *next = yyjson_get_str(yyjson_obj_get(root, "next_page_token"));

    /* An account that names a next page for ever must not keep the worker for ever. */
    if (next == NULL || next[0] == '\0' || yyjson_arr_size(list) == 0 ||
        (pages->token.data != NULL && strcmp(pages->token.data, next) == 0))
        return 0;
    buffer_reset(&pages->token);
    buffer_append(&pages->token, next, strlen(next));
    return 1;
}

int lookup_page_size(const struct lookup_pages *pages)
{
    return pages->prefix ? LOOKUP_PREFIX_PAGE_SIZE : LOOKUP_PAGE_SIZE;
}

enum progress lookup_next_page(struct delivery *d, struct lookup_pages *pages, yyjson_val **list)
{
    enum progress progress;

    *list = NULL;
    if (pages->ended)
        return PROGRESS_OK;
    if (pages->prefix && pages->read_count == LOOKUP_PREFIX_PAGES_MAX) {
        pages->cut = 1;
        return PROGRESS_OK;
    }
    if (pages->read_count == LOOKUP_PAGES_MAX) {
        /* What was not found on these pages may be on a later one, so it is not known to be
         * missing. */
        snprintf(d->detail, sizeof(d->detail), "GET %s: more than %d match, not all were read",
                 pages->path, LOOKUP_PAGES_MAX * LOOKUP_PAGE_SIZE);
        return PROGRESS_FAILED;
    }
    if (pages->read_count++ == 0)
        pages->query_length = d->texts.query.length;
    d->texts.query.length = pages->query_length;
    if (pages->token.length > 0) {
        buffer_printf(&d->texts.query, "&page_token=");
        http_append_escaped(&d->texts.query, (struct text){pages->token.data, pages->token.length});
    }
    metric_add(d->pusher->lookups, 1);
    progress = call_read(d, "GET", pages->path, d->texts.query.data, (struct text){0});
    if (progress != PROGRESS_OK)
        return progress;
    *list = infusionsoft_list(d->client, pages->member);
    if (*list == NULL)
        return call_says_nothing(d, NULL);
    pages->ended = !lookup_take_next(pages, infusionsoft_answer(d->client)->root, *list);
    return PROGRESS_OK;
}

enum progress lookup_object(struct delivery *d, const char *list, const char *id, const char *query,
                            yyjson_val **object)
{
    enum progress progress;
    char its[32];

    *object = NULL;
    buffer_reset(&d->texts.path);
    buffer_printf(&d->texts.path, "%s/", list);
    http_append_escaped(&d->texts.path, text_of(id));
    metric_add(d->pusher->lookups, 1);
    progress = call_read(d, "GET", d->texts.path.data, query, (struct text){0});
    if (progress == PROGRESS_REFUSED && call_is_gone(d)) {
        d->answer[0] = d->detail[0] = '\0';
        return PROGRESS_OK;
    }
    if (progress != PROGRESS_OK)
        return progress;
    if (strcmp(infusionsoft_id(infusionsoft_answer(d->client)->root, its), id) != 0)
        return call_says_nothing(d, "without the object that was asked for");
    *object = infusionsoft_answer(d->client)->root;
    return PROGRESS_OK;
}
