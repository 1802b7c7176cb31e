/* test_topics.c - which differences of a topic keep what its settings promise, and whether the
 * pages list the topics that are created. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "record/topic.h"

#include "../../services/inspector/topics.h"

static void test_promise_kept(void **state)
{
    static const struct {
        enum topic_promise promise;
        const char *is;
        const char *expected;
        int kept;
    } cases[] = {
        {TOPIC_EXACTLY, "delete", "delete", 1},
        {TOPIC_EXACTLY, "compact", "delete", 0},
        {TOPIC_EXACTLY, NULL, "delete", 0},
        {TOPIC_AT_LEAST, "1048576", "1048576", 1},
        {TOPIC_AT_LEAST, "2000000", "1048576", 1},
        {TOPIC_AT_LEAST, "500000", "1048576", 0},
        {TOPIC_AT_LEAST, "-1", "2592000000", 1},
        {TOPIC_AT_LEAST, "2592000000", "-1", 0},
        {TOPIC_AT_LEAST, "-1", "-1", 1},
        {TOPIC_AT_LEAST, NULL, "1", 0},
        {TOPIC_AT_LEAST, "", "1", 0},
        {TOPIC_AT_LEAST, "many", "1", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(topic_promise_kept(cases[i].promise, cases[i].is, cases[i].expected),
                         cases[i].kept);
}

/* What is planned for one account; its name is the word that the pages use. */
static struct topic_plan *plan_new(int *count)
{
    static char prefix[] = "bigfusion", name[] = "<account>";
    struct config_account account = {.name = name};
    struct config config = {.accounts = &account, .account_count = 1};
    struct topics topics;
    struct topic_plan *plan;

    config.kafka.topic_prefix = prefix;
    config.kafka.max_record_bytes = 1000;
    topics_init(&topics, &config);
    plan = topics_plan(&topics, &config, count);
    topics_clear(&topics);
    return plan;
}

static char *page_new(const char *path)
{
    struct buffer page = {0};
    char piece[4096];
    FILE *file = fopen(path, "r");
    size_t length;

    if (file == NULL)
        fail_msg("%s cannot be read (the tests run in the project's folder)", path);
    while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
        buffer_append(&page, piece, length);
    fclose(file);
    return page.data;
}

/* README.md has full names, docs/architecture.md those without the prefix. */
static void test_pages_list_every_topic(void **state)
{
    char *readme = page_new("README.md"), *architecture = page_new("docs/architecture.md");
    int count;
    struct topic_plan *plan = plan_new(&count);

    (void)state;
    assert_int_equal(count, 23);
    for (int i = 0; i < count; i++) {
        char *full = mem_printf("`%s`", plan[i].name);
        char *brief = mem_printf("`%s`", plan[i].name + strlen("bigfusion."));

        if (strstr(readme, full) == NULL)
            fail_msg("README.md does not list %s", full);
        if (strstr(architecture, brief) == NULL)
            fail_msg("docs/architecture.md does not list %s", brief);
        free(full);
        free(brief);
    }
    free(readme);
    free(architecture);
    topics_plan_free(plan, count);
}

/* README.md names no topic that is not created. */
static void test_readme_lists_no_other_topic(void **state)
{
    char *readme = page_new("README.md"), *rest = NULL;
    int count;
    struct topic_plan *plan = plan_new(&count);

    (void)state;
    for (char *line = strtok_r(readme, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        for (char *at = line;
             strncmp(line, "| `bigfusion.", 13) == 0 && (at = strstr(at, "`bigfusion.")) != NULL;
             at += strcspn(at + 1, "`") + 2) {
            int length = (int)strcspn(at + 1, "`"), found = 0;

            for (int i = 0; i < count; i++)
                found |= (int)strlen(plan[i].name) == length &&
                         strncmp(plan[i].name, at + 1, (size_t)length) == 0;
            if (!found)
                fail_msg("README.md lists %.*s, which is not created", length, at + 1);
        }
    free(readme);
    topics_plan_free(plan, count);
}

/* A record's lane is told by its key, and for an order by its header, whichever topic it is in. */
static void test_lane_of_a_record(void **state)
{
    static const struct {
        const char *key, *header;
        enum topic_lane lane;
    } cases[] = {
        {"abc/order/1", NULL, TOPIC_LANE_ORDERS},
        {"abc/order/1", "history", TOPIC_LANE_HISTORY},
        {"abc/order/1", "contacts", TOPIC_LANE_ORDERS},
        {"abc/contact/1", NULL, TOPIC_LANE_CONTACTS},
        {"abc/contact/1", "history", TOPIC_LANE_CONTACTS},
        {"abc/product/1", NULL, TOPIC_LANE_PRODUCTS},
        {"nonsense", "history", TOPIC_LANE_ORDERS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct event event = {.key = text_of(cases[i].key)};

        if (cases[i].header != NULL)
            event.headers[HEADER_LANE] = text_of(cases[i].header);
        assert_int_equal(topic_lane_of(&event), cases[i].lane);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promise_kept),
        cmocka_unit_test(test_pages_list_every_topic),
        cmocka_unit_test(test_readme_lists_no_other_topic),
        cmocka_unit_test(test_lane_of_a_record),
    };

    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
