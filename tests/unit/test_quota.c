/* The part of the governor that needs no Redis: a place that was given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "infusionsoft/quota.h"

/* Nobody answers at port 1: what is let through here was not asked for again. */
static char url[] = "redis://127.0.0.1:1/0";
static const struct redis_server server = {.url = url};
static const struct quota_settings settings = {.server = &server,
                                               .prefix = "unit",
                                               .name = "main",
                                               .per_s = 10,
                                               .call_ms = 60000,
                                               .timeout_ms = 100};

static void test_a_place_that_was_given_back_serves_the_next(void **state)
{
    struct quota *quota = quota_new(&settings);

    (void)state;
    for (int64_t given = 42; given < 44; given++) {
        int64_t id = 0, wait_ms = 0;

        quota_give_back(quota, given);
        assert_int_equal(quota_wait(quota, TOPIC_LANE_ORDERS, 0, 0, &id, &wait_ms), QUOTA_GO);
        assert_int_equal(id, given);
    }
    quota_free(quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_place_that_was_given_back_serves_the_next),
    };

    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
