/* Settings: defaults, values, environment, and every kind of fault with its message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/config.h"
#include "settings/mask.h"
#include "settings/option.h"

#define STORE "[store main]\nhash = abc123\ntoken_file = %s\naccount = main\n"
#define ACCOUNT "[infusionsoft main]\nkey_file = %s\n"

static char secret_path[] = "/tmp/test_config_secret_XXXXXX";

static int read_text(struct config *config, int program, const char *text, struct error *err)
{
    char path[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(path);
    int result;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    result = config_read(config, program, path, err);
    config->path = NULL;
    unlink(path);
    return result;
}

static char *with_secrets(const char *text)
{
    struct buffer filled = {0};

    for (const char *c = text; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 's') {
            buffer_printf(&filled, "%s", secret_path);
            c++;
        } else {
            buffer_append(&filled, c, 1);
        }
    }
    return filled.data;
}

static void test_defaults(void **state)
{
    struct config config = {0};
    struct error err = {0};
    char *text = with_secrets(STORE ACCOUNT);

    (void)state;
    assert_int_equal(read_text(&config, PROGRAM_PUSHER, text, &err), 0);
    assert_string_equal(config.stores[0].code, "BC");
    assert_string_equal(config.kafka.topic_prefix, "bigfusion");
    assert_int_equal(config.stores[0].poll_interval_s, 30);
    assert_int_equal(config.stores[0].start_from_ms, -1);
    assert_int_equal(config.stores[0].statuses,
                     1 << 2 | 1 << 3 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 14);
    assert_int_equal(config.stores[0].opt_in, OPT_IN_OPTED_IN);
    assert_int_equal(config.pusher.retry_delays_s[2], 3600);
    assert_string_equal(config.accounts[0].key, "very-secret");
    assert_null(config.stores[0].token); /* the pusher has no use for the store's token */
    config_free(&config);
    free(text);
}

/* The doctor reports a secret that cannot be read, and needs the rest of the settings. */
static void test_doctor_goes_on_without_a_secret(void **state)
{
    enum { EVERYBODY = PROGRAM_POLLER | PROGRAM_PUSHER | PROGRAM_INSPECTOR };
    static const char store[] = "[store main]\nhash = abc123\naccount = main\n"
                                "token_file = /nonexistent/token\n";
    char *account = with_secrets(ACCOUNT), *text = mem_printf("%s%s", store, account);
    struct config config = {0};
    struct error err = {0};
    char *content = NULL;

    (void)state;
    assert_int_equal(read_text(&config, EVERYBODY, text, &err), -1);
    config_free(&config);
    error_clear(&err);
    memset(&config, 0, sizeof(config));
    assert_int_equal(read_text(&config, EVERYBODY | PROGRAM_DOCTOR, text, &err), 0);
    assert_null(config.stores[0].token);
    assert_string_equal(config.accounts[0].key, "very-secret");
    assert_int_equal(option_read_secret(config.stores[0].token_file, &content, &err), -1);
    assert_null(content);
    assert_non_null(strstr(err.text, "/nonexistent/token: No such file"));
    config_free(&config);
    free(account);
    free(text);
}

static void test_environment(void **state)
{
    struct config config = {0};
    struct error err = {0};
    char *text = with_secrets(STORE "code = AB\n" ACCOUNT "[librdkafka]\nclient.rack = a\n");

    (void)state;
    setenv("BIGFUSION_STORE_MAIN_CODE", "XY", 1);
    setenv("BIGFUSION_PUSHER_WORKERS", "7", 1);
    setenv("BIGFUSION_LIBRDKAFKA_CLIENT_RACK", "b", 1);
    assert_int_equal(read_text(&config, PROGRAM_POLLER, text, &err), 0);
    unsetenv("BIGFUSION_STORE_MAIN_CODE");
    unsetenv("BIGFUSION_PUSHER_WORKERS");
    unsetenv("BIGFUSION_LIBRDKAFKA_CLIENT_RACK");
    assert_string_equal(config.stores[0].code, "XY");
    assert_int_equal(config.pusher.workers, 7);
    assert_string_equal(config.librdkafka[0].value, "b");
    assert_string_equal(config.stores[0].token, "very-secret");
    config_free(&config);
    free(text);
}

static void test_faults(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *says[3]; /* each must stand in the message */
    } cases[] = {
        {"unknown setting",
         "[kafka]\nbroker = x\n" STORE ACCOUNT,
         {":2:", "[kafka] broker", "unknown"}},
        {"unknown section", "[kafak]\nbrokers = x\n" STORE ACCOUNT, {":1:", "kafak", "allowed"}},
        {"section without a name", "[store]\ncode = x\n", {":1:", "store", "allowed"}},
        {"number out of range",
         STORE "poll_interval_s = 0\n" ACCOUNT,
         {":5:", "poll_interval_s = 0", "1..3600"}},
        {"not a number",
         "[pusher]\nworkers = many\n" STORE ACCOUNT,
         {":2:", "workers = many", "1..512"}},
        {"number with a tail", "[pusher]\nworkers = 5x\n" STORE ACCOUNT, {":2:", "5x", "1..512"}},
        {"bad word",
         STORE "opt_in = perhaps\n" ACCOUNT,
         {":5:", "opt_in = perhaps", "opted_in|never|always"}},
        {"a withdrawn status", STORE "statuses = 11,4\n" ACCOUNT, {":5:", "statuses", "14"}},
        {"bad date", STORE "start_from = tomorrow\n" ACCOUNT, {":5:", "start_from", "now, all"}},
        {"missing hash",
         "[store main]\ntoken_file = %s\naccount = main\n" ACCOUNT,
         {"[store main]", "hash", "missing"}},
        {"bad hash", "[store main]\nhash = A/b\n", {":2:", "hash = A/b", "lower-case"}},
        {"secret missing",
         "[store main]\nhash = a1\ntoken_file = /nowhere/token\naccount = main\n" ACCOUNT,
         {":3:", "token_file = /nowhere/token", "allowed"}},
        {"unknown account",
         "[store main]\nhash = a1\ntoken_file = %s\naccount = other\n" ACCOUNT,
         {"[store main] account = other", "allowed", "infusionsoft"}},
        {"one hash twice",
         STORE ACCOUNT "[store two]\nhash = abc123\ncode = B\ntoken_file = %s\naccount = main\n",
         {"[store two]", "[store main]", "hash"}},
        {"one code twice into one account",
         STORE ACCOUNT "[store two]\nhash = abc124\ntoken_file = %s\naccount = main\n",
         {"[store two]", "[store main]", "code = BC"}},
        {"a code that is no call name",
         STORE "code = EU-1\ngoal_call_names = letters_digits\n" ACCOUNT,
         {":5: [store main] code = EU-1", "goal_call_names = letters_digits", "allowed"}},
        {"a path with an empty part",
         STORE "field.PO = billing_address..company\n" ACCOUNT,
         {":5: [store main] field.PO", "allowed: the path of a member", ""}},
        {"a field without orders",
         STORE "field.PO = id\n" ACCOUNT "orders = off\n",
         {"[store main] field.PO", "orders = off", "allowed"}},
        {"a field of an account",
         STORE ACCOUNT "field.PO = id\n",
         {":7: [infusionsoft main] field.PO", "unknown setting", ""}},
        {"given twice", STORE "code = A\ncode = B\n" ACCOUNT, {":6:", "code", "twice"}},
        {"garbage line", STORE "what is this\n" ACCOUNT, {":5:", "not a setting", ""}},
        {"delays that fall",
         "[pusher]\nretry_delays_s = 60,10,5\n" STORE ACCOUNT,
         {":2:", "retry_delays_s", ""}},
        {"a certificate without its key",
         "[redis]\nurl = unix:///r\ntls_cert_file = %s\n" STORE ACCOUNT,
         {"[redis] tls_key_file is missing", "allowed", ""}},
        {"an authority without TLS",
         "[redis]\nurl = redis://r\ntls_ca_file = %s\n" STORE ACCOUNT,
         {"[redis] url is not encrypted", "rediss://", ""}},
        {"an authority that cannot be read",
         "[redis]\ntls_ca_file = /nowhere/ca.pem\n" STORE ACCOUNT,
         {":2: [redis] tls_ca_file = /nowhere/ca.pem", "No such file", "allowed: a readable"}},
        {"a store over plain http",
         STORE "api_url = http://api.bigcommerce.com\n" ACCOUNT,
         {":5: [store main] api_url = http://api.bigcommerce.com", "allowed: https://",
          "allow_plain_http = yes"}},
        {"an account over plain http",
         STORE ACCOUNT "api_url = http://10.0.0.1/crm/rest/v2\nallow_plain_http = no\n",
         {":7: [infusionsoft main] api_url", "allowed: https://", "allow_plain_http = yes"}},
        {"tokens over plain http",
         STORE ACCOUNT "token_url = http://127.0.0.1@example.com/token\n",
         {":7: [infusionsoft main] token_url", "allowed: https://", ""}},
        {"a proxy with a login",
         "[http]\nproxy = http://me:word@proxy:3128\n" STORE ACCOUNT,
         {":2: [http] proxy = http://***@proxy:3128", "allowed: http://host:port", ""}},
        {"a proxy without a port",
         "[http]\nproxy = http://proxy\n" STORE ACCOUNT,
         {":2: [http] proxy = http://proxy", "allowed: http://host:port", ""}},
        {"two passwords for Redis",
         "[redis]\nurl = redis://:word@r\npassword_file = %s\n" STORE ACCOUNT,
         {"[redis] password_file", "url has a password too", "allowed: one"}},
        {"two passwords for Kafka",
         "[kafka]\nsasl_password_file = %s\n[librdkafka]\nsasl.password = word\n" STORE ACCOUNT,
         {"[kafka] sasl_password_file", "sasl.password too", "allowed: one"}},
        {"a login in a url that is refused",
         STORE "api_url = http://me:word@store.internal/?key=word\n" ACCOUNT,
         {":5: [store main] api_url = http://***@store.internal/?***: ", "allowed: https://", ""}},
        {"lease shorter than a call",
         "[pusher]\nlease_s = 20\n" STORE ACCOUNT,
         {"lease_s = 20", "http_timeout_s", ""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config config = {0};
        struct error err = {0};
        char *text = with_secrets(cases[i].text);

        if (read_text(&config, PROGRAM_POLLER, text, &err) == 0)
            fail_msg("%s: accepted", cases[i].name);
        if (err.kind != ERROR_PERMANENT || exit_status(&err) != 100)
            fail_msg("%s: not a permanent error", cases[i].name);
        for (size_t j = 0; j < 3; j++)
            if (cases[i].says[j] != NULL && strstr(err.text, cases[i].says[j]) == NULL)
                fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].name, err.text,
                         cases[i].says[j]);
        if (strstr(err.text, "word@") != NULL)
            fail_msg("%s: \"%s\" shows a password", cases[i].name, err.text);
        config_free(&config);
        free(text);
    }
}

static void test_masks(void **state)
{
    static const struct {
        const char *url, *shown;
    } urls[] = {
        {"https://api.bigcommerce.com", "https://api.bigcommerce.com"},
        {"https://me:word@host:1/a", "https://***@host:1/a"},
        {"https://me:w/o@rd@host/a", "https://***@host/a"},
        {"https://me:w?rd@host/a", "https://***@host/a"},
        {"https://host/a?key=word#b", "https://host/a?***"},
        {"https://host/a#word", "https://host/a?***"},
        {"me:word@host", "***@host"},
        {"", ""},
    };
    static const struct {
        const char *name;
        int secret;
    } names[] = {
        {"sasl.password", 1},
        {"ssl.key.password", 1},
        {"ssl.key.pem", 1},
        {"sasl.oauthbearer.config", 1},
        {"sasl.oauthbearer.client.secret", 1},
        {"sasl.oauthbearer.assertion.private.key.passphrase", 1},
        {"sasl.kerberos.kinit.cmd", 1},
        {"sasl.oauthbearer.token.endpoint.url", 0},
        {"sasl.username", 0},
        {"security.protocol", 0},
        {"ssl.ca.location", 0},
    };
    char shown[64];

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        mask_url(shown, sizeof(shown), urls[i].url);
        assert_string_equal(shown, urls[i].shown);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (mask_is_secret(names[i].name) != names[i].secret)
            fail_msg("%s", names[i].name);
}

static void test_plain_http(void **state)
{
    static const struct {
        const char *url;
        int plain;
    } cases[] = {
        {"https://api.bigcommerce.com", 0},
        {"http://localhost", 0},
        {"http://LOCALHOST:8480/crm", 0},
        {"http://127.0.0.1:8480", 0},
        {"http://127.9.9.9", 0},
        {"http://[::1]:8480/crm", 0},
        {"http://[::1]", 0},
        {"http://user:word@127.0.0.1/crm", 0},
        {"http://api.bigcommerce.com", 1},
        {"http://10.0.0.1:8480", 1},
        {"http://128.0.0.1", 1},
        {"http://[::2]", 1},
        {"http://[::1].example.com", 1},
        {"http://[::1", 1},
        {"http://", 1},
        {"http://localhost.example.com", 1},
        {"http://127.0.0.1.example.com", 1},
        {"http://127.0.0.1@example.com/", 1},
        {"http://example.com/@127.0.0.1", 1},
        {"http://example.com?@127.0.0.1", 1},
    };
    struct config config = {0};
    struct error err = {0};
    char *text =
        with_secrets(STORE "api_url = http://store.internal\nallow_plain_http = yes\n" ACCOUNT
                           "allow_plain_http = yes\ntoken_url = http://account.internal\n");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (option_is_plain_http(cases[i].url) != cases[i].plain)
            fail_msg("%s", cases[i].url);
    assert_int_equal(read_text(&config, PROGRAM_FILTER, text, &err), 0);
    config_free(&config);
    free(text);
}

static void test_account_secret_needed_by_pusher_only(void **state)
{
    struct config config = {0};
    struct error err = {0};
    char *text = with_secrets(STORE "[infusionsoft main]\ncurrency = USD\n");

    (void)state;
    assert_int_equal(read_text(&config, PROGRAM_MAPPER, text, &err), 0);
    config_free(&config);
    assert_int_equal(read_text(&config, PROGRAM_PUSHER, text, &err), -1);
    assert_non_null(strstr(err.text, "key_file is missing"));
    config_free(&config);
    free(text);
}

static struct buffer read_page(const char *path)
{
    struct buffer page = {0};
    char bytes[4096];
    size_t length;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    while ((length = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buffer_append(&page, bytes, length);
    fclose(file);
    return page;
}

/* Every setting stands in the commented settings file and in the table of the documentation, with
 * its help. */
static void test_table_is_documented(void **state)
{
    static const char *const pages[] = {"deploy/bigfusion.conf", "docs/configuration.md"};

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        struct buffer page = read_page(pages[i]);

        for (size_t j = 0; j < option_count; j++)
            if (strstr(page.data, options[j].name) == NULL ||
                strstr(page.data, options[j].help) == NULL)
                fail_msg("%s does not mention %s with its help", pages[i], options[j].name);
        buffer_clear(&page);
    }
}

static int is_default(const char *line)
{
    for (size_t i = 0; i < option_count; i++) {
        char wanted[160];

        if (options[i].default_value == NULL)
            continue;
        snprintf(wanted, sizeof(wanted), "; %s =%s%s", options[i].name,
                 options[i].default_value[0] == '\0' ? "" : " ", options[i].default_value);
        if (strcmp(line, wanted) == 0)
            return 1;
    }
    return 0;
}

/* What the head of the settings file says: a line with a leading ; is a setting with its default.
 */
static void test_file_shows_the_defaults(void **state)
{
    struct buffer page = read_page("deploy/bigfusion.conf");
    char *rest = NULL;

    (void)state;
    *strstr(page.data, "[librdkafka]") = '\0';
    for (char *line = strtok_r(page.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (line[0] == ';' && !is_default(line))
            fail_msg("no default: %s", line);
    buffer_clear(&page);
}

/* A list of brokers of many hundred characters, new. */
static char *long_list(void)
{
    struct buffer list = {0};

    for (int i = 0; i < 60; i++)
        buffer_printf(&list, "%sbroker-%02d.kafka.internal.example.com:9092", i > 0 ? "," : "", i);
    return list.data;
}

static void test_long_lines_are_read_whole(void **state)
{
    char *list = long_list(), *filled = with_secrets(STORE ACCOUNT);
    char *text = mem_printf("; a comment of many characters: %s\n"
                            "[kafka]\nbrokers   =   %s  ; and a comment\ntopic_prefix = after\n"
                            "[librdkafka]\nssl.ca.pem=%s\n%s",
                            list, list, list, filled);
    struct config config = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(read_text(&config, PROGRAM_FILTER, text, &err), 0);
    assert_string_equal(config.kafka.brokers, list);
    assert_string_equal(config.kafka.topic_prefix, "after");
    assert_string_equal(config.librdkafka[0].value, list);
    config_free(&config);
    free(text);
    free(list);
    free(filled);
}

static void test_what_cannot_be_read_whole_is_refused(void **state)
{
    static const char *const cases[] = {
        "[kafka]\n%s\n",                  /* a long line that is no setting */
        "[kafka]\nbrokers = a\n  %s=1\n", /* a long line that goes on with the one before */
        "[kafka]\n%s = 1\n",              /* a long name */
        "\n[%s]\n",                       /* a long heading */
        "\n[infusionsoft aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n%.0s",
    };
    static const int lines[] = {2, 3, 2, 2, 2};
    char *list = long_list();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buffer text = {0};
        struct config config = {0};
        struct error err = {0};
        char place[16];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buffer_printf(&text, cases[i], list);
#pragma GCC diagnostic pop
        snprintf(place, sizeof(place), ":%d: ", lines[i]);
        assert_int_equal(read_text(&config, PROGRAM_FILTER, text.data, &err), -1);
        if (strstr(err.text, place) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        config_free(&config);
        buffer_clear(&text);
    }
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_lines_are_read_whole),
        cmocka_unit_test(test_what_cannot_be_read_whole_is_refused),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_doctor_goes_on_without_a_secret),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_plain_http),
        cmocka_unit_test(test_account_secret_needed_by_pusher_only),
        cmocka_unit_test(test_table_is_documented),
        cmocka_unit_test(test_file_shows_the_defaults),
    };
    int fd = mkstemp(secret_path);
    int result;

    if (fd < 0 || write(fd, " very-secret\n", 13) != 13)
        return 1;
    close(fd);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(secret_path);
    return result;
}
