/* test_topics_acl.c - the script of `bigfusion topics acl`. Whether Kafka lets the programs do all that
 * they do with it, and nothing else, tests/e2e/test_kafka_acl.py shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/inspector/topics_acl.h"

static char prefix[] = "shop", name[] = "main";
static struct config_account account = {.name = name};

static char token_file[] = "/run/secrets/console_token", nothing[] = "";

static int write_script(const char *principal, int console_acts, struct buffer *script,
                        struct error *err)
{
    struct config config = {.accounts = &account, .account_count = 1};

    config.kafka.topic_prefix = prefix;
    config.console.token_file = console_acts ? token_file : nothing;
    return topics_acl_write(&config, principal, script, err);
}

static void test_lines(void **state)
{
    static const char *const lines[] = {
        "\nkafka-acls.sh \"$@\" --add --allow-principal 'User:CN=filter.test' --operation Read "
        "--topic shop.orders.raw --topic shop.contacts.raw --topic shop.products.raw "
        "--topic shop.history.raw --group shop.filter\n",
        "\nkafka-acls.sh \"$@\" --add --allow-principal 'User:CN=filter.test' --operation Write "
        "--topic shop.orders.eligible --topic shop.contacts.eligible --topic "
        "shop.products.eligible --topic shop.history.eligible --topic shop.skipped "
        "--topic shop.dead\n",
        "\nkafka-acls.sh \"$@\" --add --allow-principal 'User:CN=filter.test' --operation "
        "IdempotentWrite --cluster\n",
        "\nkafka-acls.sh \"$@\" --add --allow-principal 'User:CN=pusher.test' --operation Write "
        "--topic shop.skipped --topic shop.delivered --topic shop.dead --topic shop.retry-1m "
        "--topic shop.retry-10m --topic shop.retry-1h --topic shop.waiting.main "
        "--topic shop.waiting-orders.main\n",
    };
    struct buffer script = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(write_script("User:CN={program}.test", 0, &script, &err), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (strstr(script.data, lines[i]) == NULL)
            fail_msg("missing: %s in %s", lines[i], script.data);
    /* The console without a token writes nothing, and nobody gets a pattern or everything. */
    assert_null(strstr(script.data, "CN=console.test' --operation Write"));
    assert_null(strstr(script.data, "--operation All"));
    assert_null(strchr(script.data, '*'));
    assert_null(strstr(script.data, "{program}"));
    buffer_clear(&script);
}

static void test_a_console_with_a_token_acts(void **state)
{
    struct buffer script = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(write_script("User:{program}", 1, &script, &err), 0);
    assert_non_null(strstr(script.data, "'User:console' --operation Write --topic shop.orders.raw "
                                        "--topic shop.orders.eligible --topic shop.orders.payloads "
                                        "--topic shop.contacts.raw "));
    assert_non_null(strstr(script.data,
                           "--topic shop.history.payloads --topic shop.skipped --topic "
                           "shop.dead --topic shop.paused --topic shop.audit\n"));
    assert_non_null(strstr(script.data, "'User:console' --operation IdempotentWrite --cluster\n"));
    buffer_clear(&script);
}

static void test_principals(void **state)
{
    static const struct {
        const char *principal;
        int rc;
    } cases[] = {
        {"User:bigfusion", 0},
        {"User:CN={program},O=\xc3\x9c", 0},
        {"bigfusion", -1},
        {":x", -1},
        {"User:", -1},
        {"User:x'; rm -rf /; '", -1},
        {"User:x\nkafka-acls.sh", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buffer script = {0};
        struct error err = {0};

        if (write_script(cases[i].principal, 1, &script, &err) != cases[i].rc)
            fail_msg("%s", cases[i].principal);
        assert_int_equal(err.kind, cases[i].rc == 0 ? ERROR_NONE : ERROR_PERMANENT);
        buffer_clear(&script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_a_console_with_a_token_acts),
        cmocka_unit_test(test_principals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
