/* The ledger's note: what goes with a record, and what a rebuild reads of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/note.h"

static const char *field(const struct ledger_note *note, enum ledger_note_field which)
{
    return note->fields[which] != NULL ? note->fields[which] : "-";
}

static void test_round_trip(void **state)
{
    static const char *const fields[][2] = {
        {"state", "open"},
        {"modified_at", "1700000000000"},
        {"digest", "0f"},
        {"doubt", "order"},
        {"goals", "1"},
        {"lease", "5"},
        {"fence", "7-8"},
        {"epoch", "7"},
        {"doubt_at", "9"},
        {"s:contact", "42"},
        {"s:evidence", "{\"a\"}"},
        {"s:goal:BCORDER/\xc3\xa9", "sent"},
    };
    struct ledger_note note = {0}, read = {0};
    struct buffer text = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        ledger_note_add(&note, fields[i][0], fields[i][1]);
    ledger_note_write(&note, &text);
    assert_string_equal(text.data,
                        "{\"v\":1,\"state\":\"open\",\"modified_at\":\"1700000000000\","
                        "\"digest\":\"0f\",\"doubt\":\"order\",\"goals\":\"1\",\"steps\":{"
                        "\"contact\":\"42\",\"evidence\":\"{\\\"a\\\"}\","
                        "\"goal:BCORDER/\xc3\xa9\":\"sent\"}}");
    assert_int_equal(ledger_note_read((struct text){text.data, text.length}, &read), 0);
    assert_string_equal(field(&read, LEDGER_NOTE_STATE), "open");
    assert_string_equal(field(&read, LEDGER_NOTE_DOUBT), "order");
    assert_string_equal(field(&read, LEDGER_NOTE_ABSENT), "-");
    assert_int_equal(read.step_count, 3);
    assert_string_equal(read.steps[1].name, "evidence");
    assert_string_equal(read.steps[1].result, "{\"a\"}");
    ledger_note_clear(&note);
    ledger_note_clear(&read);
    buffer_clear(&text);
}

/* What is too long is left out: evidence alone, or the whole note. */
static void test_sizes(void **state)
{
    char *evidence = mem_alloc(LEDGER_NOTE_EVIDENCE_BYTES_MAX + 2);
    struct ledger_note note = {0};
    struct buffer text = {0};

    (void)state;
    memset(evidence, 'x', LEDGER_NOTE_EVIDENCE_BYTES_MAX);
    ledger_note_add(&note, "state", "open");
    ledger_note_add(&note, "s:evidence", evidence);
    assert_int_equal(note.step_count, 1);
    ledger_note_write(&note, &text);
    assert_true(text.length > LEDGER_NOTE_EVIDENCE_BYTES_MAX);
    evidence[LEDGER_NOTE_EVIDENCE_BYTES_MAX] = 'x';
    ledger_note_add(&note, "s:evidence", evidence);
    assert_int_equal(note.step_count, 1);
    ledger_note_add(&note, "s:one", evidence);
    ledger_note_write(&note, &text);
    assert_int_equal(text.length, 0);
    ledger_note_clear(&note);
    for (int i = 0; i <= LEDGER_NOTE_STEPS_MAX; i++)
        ledger_note_add(&note, "s:a", "b");
    ledger_note_write(&note, &text);
    assert_int_equal(text.length, 0);
    ledger_note_clear(&note);
    buffer_clear(&text);
    free(evidence);
}

#define GOOD "\"v\":1,\"state\":\"open\",\"modified_at\":\"1\",\"digest\":\"d\""

static void test_readable(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        {"{" GOOD "}", 0},
        {"{" GOOD ",\"steps\":{}}", 0},
        {"{" GOOD ",\"unknown\":[1]}", 0},
        {"{" GOOD ",\"steps\":{\"order\":\"55\",\"evidence\":\"\"}}", 0},
        {"{\"v\":1,\"state\":\"dead\",\"modified_at\":\"999999999999999\",\"digest\":\"\"}", 0},
        {"{\"v\":1,\"state\":\"withdrawn\",\"modified_at\":\"0\",\"digest\":\"\"}", 0},
        {"", -1},
        {"{}", -1},
        {"[" GOOD "]", -1},
        {"{" GOOD "}x", -1},
        {"{\"v\":2,\"state\":\"open\",\"modified_at\":\"1\",\"digest\":\"d\"}", -1},
        {"{\"v\":4294967297,\"state\":\"open\",\"modified_at\":\"1\",\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"done\",\"modified_at\":\"1\",\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"modified_at\":1,\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"modified_at\":\"-1\",\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"modified_at\":\"1000000000000000\",\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"modified_at\":\"\",\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"digest\":\"d\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"modified_at\":\"1\"}", -1},
        {"{\"v\":1,\"state\":\"open\",\"modified_at\":\"1\","
         "\"digest\":\"0123456789012345678901234567890123\"}",
         -1},
        {"{" GOOD ",\"doubt\":\"\"}", -1},
        {"{" GOOD ",\"doubt\":null}", -1},
        {"{" GOOD ",\"doubt\":\"a\\u0000b\"}", -1},
        {"{" GOOD ",\"goals\":\"0\"}", -1},
        {"{" GOOD ",\"goals\":true}", -1},
        {"{" GOOD ",\"reason\":\"01234567890123456789012345678901\"}", -1},
        {"{" GOOD ",\"steps\":[]}", -1},
        {"{" GOOD ",\"steps\":{\"order\":55}}", -1},
        {"{" GOOD ",\"steps\":{\"\":\"55\"}}", -1},
        {"{" GOOD ",\"steps\":{\"order\":\"5\\u00005\"}}", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ledger_note note = {0};

        if (ledger_note_read(text_of(cases[i].text), &note) != cases[i].rc)
            fail_msg("%s", cases[i].text);
        if (cases[i].rc != 0)
            assert_true(note.steps == NULL && note.fields[LEDGER_NOTE_STATE] == NULL);
        ledger_note_clear(&note);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
