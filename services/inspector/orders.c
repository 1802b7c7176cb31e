/* orders.c - `bigfusion stuck`, `skipped`, `dead`, `waiting` and `retrying`: lists of orders, from the
 * console. Page after page is printed, so a list of any length needs little memory. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/text.h"
#include "history/outside_text.h"

#include "answer_print.h"
#include "console.h"
#include "history/duration.h"

enum { TIMEOUT_MS = 30000, PAGE_ORDERS = 500 };

/* What is printed so far. */
struct list {
    const char *name; /* "stuck" */
    const struct command_line *line;
    struct console *console;
    int64_t limit; /* how many orders at most */
    int64_t shown;
    json_t *first; /* the first page; owned */
    char *next;    /* where the next page begins; NULL: there is none; owned */
};

/* A time is sent as the console's other times are written; a duration as it is. */
static void add_since(struct buffer *path, const struct command_line *line)
{
    const char *since = command_line_value(line, COMMAND_OPTION_SINCE);
    char text[OUTSIDE_TIME_BYTES];

    if (since != NULL && duration_parse(since) < 0)
        since = outside_time_print(text, since_parse(since, 0));
    console_add_argument(path, "since", since);
}

static json_t *ask_page(const struct list *list, struct error *err)
{
    int64_t count =
        list->limit - list->shown < PAGE_ORDERS ? list->limit - list->shown : PAGE_ORDERS;
    char *limit = mem_printf("%" PRId64, count);
    struct buffer path = {0};
    json_t *answer;

    buffer_printf(&path, "/api/v1/orders");
    console_add_argument(&path, "list", list->name);
    console_add_argument(&path, "store", command_line_value(list->line, COMMAND_OPTION_STORE));
    console_add_argument(&path, "reason", command_line_value(list->line, COMMAND_OPTION_REASON));
    console_add_argument(&path, "older", command_line_value(list->line, COMMAND_OPTION_OLDER));
    add_since(&path, list->line);
    console_add_argument(&path, "limit", limit);
    console_add_argument(&path, "after", list->next);
    answer = console_ask(list->console, path.data, NULL, err);
    buffer_clear(&path);
    free(limit);
    return answer;
}

static void print_page_json(const struct list *list, const json_t *orders)
{
    for (size_t i = 0; i < json_array_size(orders); i++) {
        char *one = mem_check(json_dumps(
            json_array_get(orders, i), JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)));

        printf("%s\n%s", list->shown > 0 || i > 0 ? "," : "", one);
        free(one);
    }
}

/* Prints a page and takes over where the next one begins. */
static void take_page(struct list *list, json_t *page)
{
    const json_t *orders = json_object_get(page, "orders");
    struct buffer text = {0};

    if (list->line->json)
        print_page_json(list, orders);
    else
        orders_print(page, list->shown == 0, &text);
    printf("%s", text.data != NULL ? text.data : "");
    list->shown += (int64_t)json_array_size(orders);
    if (list->first == NULL)
        list->first = json_incref(page);
    free(list->next);
    list->next = mem_strdup(json_string_value(json_object_get(page, "next")));
    if (json_array_size(orders) ==
        0) { /* a page without orders is the last one, whatever it says */
        free(list->next);
        list->next = NULL;
    }
    buffer_clear(&text);
}

static void print_end(const struct list *list)
{
    struct buffer text = {0};
    json_t *rest;
    char *dumped;

    if (!list->line->json) {
        orders_print_end(list->first, list->shown, &text);
        printf("%s", text.data);
        buffer_clear(&text);
        return;
    }
    rest = mem_check(json_pack("{s:O?, s:O?, s:s?, s:O?}", "total",
                               json_object_get(list->first, "total"), "counts",
                               json_object_get(list->first, "counts"), "next", list->next, "index",
                               json_object_get(list->first, "index")));
    dumped = mem_check(json_dumps(rest, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)));
    printf("],\n%s\n", dumped + 1); /* without its opening brace */
    free(dumped);
    json_decref(rest);
}

static int read_list(struct list *list, struct error *err)
{
    do {
        json_t *page = ask_page(list, err);

        if (page == NULL)
            return -1;
        if (list->first == NULL && list->line->json)
            printf("{\"orders\":[");
        take_page(list, page);
        json_decref(page);
        if (stop_requested())
            return error_set(err, ERROR_TEMPORARY, "asked to stop; the list is not whole");
    } while (list->next != NULL && list->shown < list->limit);
    print_end(list);
    return 0;
}

static int list_run(const char *name, const char *instead, const struct config *config,
                    const struct command_line *line, struct error *err)
{
    const char *limit = command_line_value(line, COMMAND_OPTION_LIMIT);
    struct list list = {.name = name, .line = line, .limit = INT64_MAX};
    int rc;

    if (limit != NULL)
        text_to_int(text_of(limit), &list.limit);
    list.console = console_new(config, TIMEOUT_MS, instead);
    rc = read_list(&list, err);
    json_decref(list.first);
    free(list.next);
    console_free(list.console);
    return rc;
}

static const char elsewhere[] = "start bigfusion-console";

int stuck_run(const struct config *config, const struct command_line *line, struct error *err)
{
    unsigned others =
        COMMAND_OPTION_STORE | COMMAND_OPTION_REASON | COMMAND_OPTION_SINCE | COMMAND_OPTION_LIMIT;

    if (!command_line_has(line, COMMAND_OPTION_SCAN))
        return list_run("stuck",
                        "start bigfusion-console, or read the topics: bigfusion stuck --scan",
                        config, line, err);
    if (command_line_has(line, others))
        return error_set(err, ERROR_PERMANENT,
                         "--scan takes --older and --json; the console has the other filters");
    return stuck_scan(config, line, err);
}

int skipped_run(const struct config *config, const struct command_line *line, struct error *err)
{
    return list_run("skipped", elsewhere, config, line, err);
}

int dead_run(const struct config *config, const struct command_line *line, struct error *err)
{
    return list_run("dead", elsewhere, config, line, err);
}

int waiting_run(const struct config *config, const struct command_line *line, struct error *err)
{
    return list_run("waiting", elsewhere, config, line, err);
}

int retrying_run(const struct config *config, const struct command_line *line, struct error *err)
{
    return list_run("retrying", elsewhere, config, line, err);
}
