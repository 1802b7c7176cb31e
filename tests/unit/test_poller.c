/* test_poller.c - what an answer of the store means, whose clock counts, how long a request may
 * take, and when its quota is scarce. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bigcommerce/bigcommerce.h"

static void classifies(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum bigcommerce_answer list, object;
    } cases[] = {
        {200, "[]", BIGCOMMERCE_OK, BIGCOMMERCE_TROUBLE},
        {200, " \n[{", BIGCOMMERCE_OK, BIGCOMMERCE_TROUBLE},
        {200, "{}", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_OK},
        {200, "", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {200, " ", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {200, "null", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {200, "<html>", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {204, "", BIGCOMMERCE_OK, BIGCOMMERCE_TROUBLE},
        {201, "[]", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {202, "", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {206, "[{}]", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {304, "", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {301, "", BIGCOMMERCE_REFUSED, BIGCOMMERCE_REFUSED},
        {400, "[{}]", BIGCOMMERCE_REFUSED, BIGCOMMERCE_REFUSED},
        {401, "[{}]", BIGCOMMERCE_CLOSED, BIGCOMMERCE_CLOSED},
        {403, "[{}]", BIGCOMMERCE_CLOSED, BIGCOMMERCE_CLOSED},
        {404, "[{}]", BIGCOMMERCE_GONE, BIGCOMMERCE_GONE},
        {408, "", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {413, "", BIGCOMMERCE_TOO_LARGE, BIGCOMMERCE_TOO_LARGE},
        {429, "", BIGCOMMERCE_THROTTLED, BIGCOMMERCE_THROTTLED},
        {500, "", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {502, "<html>", BIGCOMMERCE_TROUBLE, BIGCOMMERCE_TROUBLE},
        {503, "<html>", BIGCOMMERCE_UNAVAILABLE, BIGCOMMERCE_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (bigcommerce_classify(cases[i].status, text_of(cases[i].body), BIGCOMMERCE_LIST) !=
                cases[i].list ||
            bigcommerce_classify(cases[i].status, text_of(cases[i].body), BIGCOMMERCE_OBJECT) !=
                cases[i].object)
            fail_msg("%d with %s", cases[i].status, cases[i].body);
}

static void trusts_the_clock_of_the_store_only(void **state)
{
    static const struct {
        const char *name;
        struct {
            int status;
            int64_t lead_ms;
        } answers[4];
        int known;
        int64_t lead_ms;
    } cases[] = {
        {"nothing", {{0}}, 0, 0},
        {"one answer", {{200, 1000}}, 1, 1000},
        {"its refusal, first", {{403, 1000}}, 1, 1000},
        {"its refusal, later", {{200, 1000}, {403, 500}}, 1, 1000},
        {"a proxy, first", {{502, 9000}}, 0, 0},
        {"a proxy, later", {{200, 1000}, {502, 500}}, 1, 1000},
        {"one wrong ahead", {{200, 1000}, {200, 900000}}, 1, 1000},
        {"wrong ahead, then right", {{200, 900000}, {200, 1000}}, 1, 1000},
        {"and it stays right", {{200, 1000}, {200, 900000}, {200, 1000}}, 1, 1000},
        {"the store's clock was set on", {{200, 1000}, {200, 9000}, {200, 9000}}, 1, 9000},
        {"the store's clock was set back", {{200, 9000}, {204, 1000}}, 1, 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bigcommerce_clock clock = {0};

        for (int j = 0; j < 4 && cases[i].answers[j].status != 0; j++)
            bigcommerce_clock_learn(&clock, cases[i].answers[j].status,
                                    cases[i].answers[j].lead_ms);
        if (clock.known != cases[i].known ||
            (clock.known && bigcommerce_clock_lead_ms(&clock) != cases[i].lead_ms))
            fail_msg("%s: known=%d lead_ms=%lld", cases[i].name, clock.known,
                     (long long)bigcommerce_clock_lead_ms(&clock));
    }
}

/* A request may begin when a third of the lease is over, and must end before all of it is. */
static void requests_end_within_the_lease(void **state)
{
    (void)state;
    for (int64_t lease_s = 1; lease_s <= 600; lease_s++) {
        int64_t timeout_ms = bigcommerce_timeout_ms(lease_s * 1000);

        assert_true(timeout_ms > 0 && timeout_ms <= 30000);
        assert_true(lease_s * 1000 / 3 + timeout_ms < lease_s * 1000);
    }
    assert_int_equal(bigcommerce_timeout_ms(30000), 18000);
    assert_int_equal(bigcommerce_timeout_ms(600000), 30000);
}

static void knows_when_little_is_left(void **state)
{
    static const struct {
        struct bigcommerce_quota quota;
        int scarce;
    } cases[] = {
        {{200, -1, -1, -1, -1}, 0},    {{200, 150, 150, 9000, -1}, 0},
        {{200, 38, 150, 9000, -1}, 0}, {{200, 37, 150, 9000, -1}, 1},
        {{200, 0, 150, 9000, -1}, 1},  {{429, -1, -1, -1, -1}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (bigcommerce_quota_is_scarce(&cases[i].quota) != cases[i].scarce)
            fail_msg("%d with %lld left", cases[i].quota.status, (long long)cases[i].quota.left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifies),
        cmocka_unit_test(trusts_the_clock_of_the_store_only),
        cmocka_unit_test(requests_end_within_the_lease),
        cmocka_unit_test(knows_when_little_is_left),
    };

    return cmocka_run_group_tests_name("poller", tests, NULL, NULL);
}
