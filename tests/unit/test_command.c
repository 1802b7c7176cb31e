/* test_command.c - the command line of `bigfusion`: words, arguments, options, durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/inspector/command.h"
#include "history/duration.h"

enum { WORDS_MAX = 8 };

static int count_of(char **words)
{
    int count = 0;

    while (count < WORDS_MAX && words[count] != NULL)
        count++;
    return count;
}

static void test_line_read(void **state)
{
    static const struct {
        const char *name;
        char *argv[WORDS_MAX];
        const char *words[WORDS_MAX]; /* without a help in front */
        const char *common[WORDS_MAX];
        int json;
        int64_t older_ms;
        int help;
        const char *error; /* a part of the error, or NULL */
    } cases[] = {
        {"words", {"b", "topics", "create"}, {"topics", "create"}, {"b"}, 0, 0, 0, NULL},
        {"config", {"b", "--config", "f", "x"}, {"x"}, {"b", "--config", "f"}, 0, 0, 0, NULL},
        {"config behind", {"b", "x", "--config=f"}, {"x"}, {"b", "--config=f"}, 0, 0, 0, NULL},
        {"json", {"b", "x", "--json"}, {"x"}, {"b"}, 1, 0, 0, NULL},
        {"json in front", {"b", "--json", "x"}, {"x"}, {"b"}, 1, 0, 0, NULL},
        {"json value", {"b", "x", "--json=1"}, {"x"}, {"b"}, 0, 0, 0, "--json takes no value"},
        {"older", {"b", "x", "--older", "5m"}, {"x"}, {"b"}, 0, 300000, 0, NULL},
        {"older equals", {"b", "--older=2h", "x"}, {"x"}, {"b"}, 0, 7200000, 0, NULL},
        {"older alone", {"b", "x", "--older"}, {"x"}, {"b"}, 0, 0, 0, "--older needs a value"},
        {"older wrong", {"b", "x", "--older", "5"}, {"x"}, {"b"}, 0, 0, 0, "--older 5: "},
        {"unknown", {"b", "x", "--olderly"}, {"x"}, {"b", "--olderly"}, 0, 0, 0, NULL},
        {"help option", {"b", "x", "--help"}, {"x"}, {"b"}, 0, 0, 1, NULL},
        {"help word", {"b", "help", "x"}, {"help", "x"}, {"b"}, 0, 0, 0, NULL},
        {"older empty", {"b", "x", "--older="}, {"x"}, {"b"}, 0, 0, 0, "--older needs a value"},
        {"no options", {"b", "--", "-x", "--json"}, {"-x", "--json"}, {"b"}, 0, 0, 0, NULL},
        {"version", {"b", "--version", "x"}, {"x"}, {"b", "--version"}, 0, 0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct command_line line = {0};
        struct error err = {0};
        char *argv[WORDS_MAX + 1] = {NULL};
        int rc;

        memcpy(argv, cases[i].argv, sizeof(cases[i].argv));
        rc = command_line_read(&line, count_of(argv), argv, &err);
        print_message("%s\n", cases[i].name);
        assert_int_equal(rc, cases[i].error != NULL ? -1 : 0);
        if (cases[i].error != NULL) {
            assert_int_equal(err.kind, ERROR_PERMANENT);
            assert_non_null(strstr(err.text, cases[i].error));
        }
        assert_int_equal(line.json, cases[i].json);
        assert_int_equal(line.older_ms, cases[i].older_ms);
        assert_int_equal(line.help, cases[i].help);
        for (int j = 0; j < WORDS_MAX && cases[i].words[j] != NULL; j++)
            assert_string_equal(line.words[j], cases[i].words[j]);
        for (int j = 0; j < WORDS_MAX && cases[i].common[j] != NULL; j++)
            assert_string_equal(line.common[j], cases[i].common[j]);
        command_line_clear(&line);
    }
}

static void test_find(void **state)
{
    static const struct {
        char *words[WORDS_MAX];
        const char *command; /* NULL: none */
        int used;
    } cases[] = {
        {{"setup"}, "setup", 1},
        {{"topics", "create"}, "topics create", 2},
        {{"topics", "create", "more"}, "topics create", 2},
        {{"topics create"}, "topics create", 1},
        {{"topics"}, NULL, 0},
        {{"topics", "creat"}, NULL, 0},
        {{"topics", "creates"}, NULL, 0},
        {{"set"}, NULL, 0},
        {{"setups"}, NULL, 0},
        {{""}, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int used = -1;
        char **words = (char **)(void *)(uintptr_t)cases[i].words;
        const struct command *found = command_find(words, count_of(words), &used);

        assert_int_equal(found == NULL, cases[i].command == NULL);
        if (found != NULL)
            assert_string_equal(found->words, cases[i].command);
        assert_int_equal(used, cases[i].used);
    }
    assert_null(command_find(NULL, 0, NULL));
}

static void test_check(void **state)
{
    static const struct command command = {.words = "look at",
                                           .arguments = "ORDER",
                                           .arguments_min = 1,
                                           .arguments_max = 2,
                                           .options = COMMAND_OPTION_JSON};
    static const struct {
        char *argv[WORDS_MAX];
        const char *error; /* NULL: accepted */
    } cases[] = {
        {{"b", "look", "at", "1"}, NULL},
        {{"b", "look", "at", "1", "2", "--json"}, NULL},
        {{"b", "look", "at"}, "something is missing; usage: bigfusion look at ORDER [--json]"},
        {{"b", "look", "at", "1", "2", "3"}, "3 is too much; usage: bigfusion look at"},
        {{"b", "look", "at", "1", "--older", "5m"},
         "--older DURATION is no option of look at; usage: bigfusion look at ORDER"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct command_line line = {0};
        struct error err = {0};
        char *argv[WORDS_MAX + 1] = {NULL};
        int rc;

        memcpy(argv, cases[i].argv, sizeof(cases[i].argv));
        assert_int_equal(command_line_read(&line, count_of(argv), argv, &err), 0);
        rc = command_check(&command, 2, &line, &err);
        assert_int_equal(rc, cases[i].error != NULL ? -1 : 0);
        if (cases[i].error != NULL)
            assert_non_null(strstr(err.text, cases[i].error));
        else
            assert_string_equal(line.words[0], "1");
        command_line_clear(&line);
    }
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0s", 0},
        {"30s", 30000},
        {"5m", 300000},
        {"2h", 7200000},
        {"3d", 259200000},
        {"36500d", INT64_C(3153600000000)},
        {"36501d", -1},
        {"9223372036854775807s", -1},
        {"92233720368547758070s", -1},
        {"", -1},
        {"s", -1},
        {"5", -1},
        {"5 m", -1},
        {"-5m", -1},
        {"+5m", -1},
        {"5M", -1},
        {"5ms", -1},
        {"1.5h", -1},
    };
    static const struct {
        int64_t ms;
        const char *text;
    } printed[] = {
        {-1, "0 s"},
        {999, "0 s"},
        {59999, "59 s"},
        {60000, "1 min 0 s"},
        {303000, "5 min 3 s"},
        {3600000, "1 h 0 min"},
        {7500000, "2 h 5 min"},
        {90000000, "1 d 1 h"},
    };
    char text[DURATION_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(duration_parse(cases[i].text), cases[i].ms);
    for (size_t i = 0; i < sizeof(printed) / sizeof(*printed); i++)
        assert_string_equal(duration_print(printed[i].ms, text), printed[i].text);
    assert_true(strlen(duration_print(INT64_MAX, text)) < DURATION_TEXT_BYTES);
}

static void test_since(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"30s", INT64_C(1790000000000) - 30000},
        {"36500d", 0},
        {"2026-01-31", INT64_C(1769817600000)},
        {"2026-01-31T10:00Z", INT64_C(1769853600000)},
        {"2026-01-31T10:00:30Z", INT64_C(1769853630000)},
        {"2026-1-31", -1},
        {" 2026-01-31", -1},
        {"2026-01-31 ", -1},
        {"2026-13-01", -1},
        {"2026-01-31T10:00", -1},
        {"2026-01-31T10:00:00", -1},
        {"yesterday", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        print_message("%s\n", cases[i].text);
        assert_int_equal(since_parse(cases[i].text, INT64_C(1790000000000)), cases[i].ms);
    }
}

static void test_option_values(void **state)
{
    static const struct {
        enum command_value value;
        const char *text;
        int is_right;
    } cases[] = {
        {COMMAND_VALUE_TEXT, "x", 1},
        {COMMAND_VALUE_TEXT, "", 0},
        {COMMAND_VALUE_DURATION, "5m", 1},
        {COMMAND_VALUE_DURATION, "5", 0},
        {COMMAND_VALUE_SINCE, "5m", 1},
        {COMMAND_VALUE_SINCE, "2026-01-31", 1},
        {COMMAND_VALUE_DATE, "2023-01-01", 1},
        {COMMAND_VALUE_DATE, "2h", 0},
        {COMMAND_VALUE_DATE, "2023-01-32", 0},
        {COMMAND_VALUE_SINCE, "now", 0},
        {COMMAND_VALUE_COUNT, "1", 1},
        {COMMAND_VALUE_COUNT, "0", 0},
        {COMMAND_VALUE_COUNT, "-1", 0},
        {COMMAND_VALUE_COUNT, "1x", 0},
        {COMMAND_VALUE_REASON, "no_email", 1},
        {COMMAND_VALUE_REASON, "no_mail", 0},
        {COMMAND_VALUE_REASON, "no_email ", 0},
        {COMMAND_VALUE_FILE, "/etc/x y", 1},
        {COMMAND_VALUE_FILE, "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct command_option option = {
            .name = "--it", .word = "WORD", .value = cases[i].value};
        struct error err = {0};

        print_message("%d %s\n", (int)cases[i].value, cases[i].text);
        assert_int_equal(command_option_check(&option, cases[i].text, &err),
                         cases[i].is_right ? 0 : -1);
        if (!cases[i].is_right)
            assert_non_null(strstr(err.text, "--it"));
    }
}

/* What help, completion and man page rely on. */
static void test_tables_are_whole(void **state)
{
    unsigned known = 0, used = 0;

    (void)state;
    assert_true(command_option_count <= COMMAND_OPTIONS_MAX);
    for (int i = 0; i < command_option_count; i++) {
        const struct command_option *option = &command_options[i];

        assert_ptr_equal(command_option_find(option->name), option);
        assert_int_equal(known & option->bit, 0);
        assert_int_equal(option->word == NULL, option->value == COMMAND_VALUE_NONE);
        assert_true(strpbrk(option->help, "'\\\n") == NULL);
        known |= option->bit;
    }
    for (int i = 0; i < command_count; i++) {
        const struct command *command = &commands[i];
        size_t length = strlen(command->help);
        char *words[] = {(char *)(uintptr_t)command->words};

        print_message("%s\n", command->words);
        assert_ptr_equal(command_find(words, 1, NULL), command);
        assert_int_equal(command->run == NULL, command->about != COMMAND_ABOUT_NONE);
        assert_int_equal(command->arguments[0] == '\0', command->arguments_max == 0);
        assert_true(strchr(command->summary, '\n') == NULL && strlen(command->summary) < 78);
        assert_true(command->help[length - 1] == '.');
        assert_true(command->examples == NULL ||
                    command->examples[strlen(command->examples) - 1] == '\n');
        assert_int_equal(command->options & ~known, 0);
        used |= command->options;
    }
    assert_int_equal(used, known);
}

/* A line of roff that begins with a dot or a quote is a request; a backslash begins an escape. */
static void test_man_escapes(void **state)
{
    struct buffer page = {0};
    int at_begin = 1;

    (void)state;
    command_man(&page);
    for (const char *at = page.data; *at != '\0'; at++) {
        if (at_begin && *at == '.')
            assert_true((at[1] >= 'A' && at[1] <= 'Z') || strncmp(at, ".nf\n", 4) == 0 ||
                        strncmp(at, ".fi\n", 4) == 0);
        assert_true(*at != '\'' && *at != '`' && *at != '~' && *at != '^' && *at != '\t');
        if (*at == '\\') {
            assert_non_null(strchr("f(&-", at[1]));
            at++;
        }
        at_begin = *at == '\n';
    }
    assert_non_null(strstr(page.data, ".SS \"bigfusion topics create\"\n"));
    assert_non_null(strstr(page.data, " [\\-\\-older DURATION] ["));
    buffer_clear(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_option_values),
        cmocka_unit_test(test_tables_are_whole),
        cmocka_unit_test(test_man_escapes),
        cmocka_unit_test(test_line_read),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
