/* The pusher's pure parts: circuit, decisions, look-ups, delay heap, merging of contacts; and the
 * scrubbed answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/pusher/circuit.h"
#include "../../services/pusher/decide.h"
#include "../../services/pusher/evidence.h"
#include "../../services/pusher/heap.h"
#include "../../services/pusher/merge.h"
#include "infusionsoft/infusionsoft.h"

static void circuit_opens_once_and_closes_by_a_probe(void **state)
{
    struct circuit circuit = {0};

    (void)state;
    assert_int_equal(circuit_open(&circuit, 0, 1000, 0.5, -1), 1);
    assert_int_equal(circuit_open(&circuit, 0, 1000, 0.5, -1), 0);
    assert_false(circuit_probe_due(&circuit, 1000));
    assert_true(circuit_probe_due(&circuit, 1000 + CIRCUIT_PROBE_BASE_MS));
    assert_int_equal(circuit_probed(&circuit, 0, 3000, 0.5), 0);
    assert_int_equal(circuit.state, CIRCUIT_OPEN);
    assert_true(circuit.probe_at_ms > 3000);
    assert_int_equal(circuit_probed(&circuit, 1, 9000, 0.5), 1);
    assert_int_equal(circuit.state, CIRCUIT_CLOSED);
}

static void circuit_waits_as_long_as_is_known(void **state)
{
    struct circuit circuit = {0};

    (void)state;
    circuit_open(&circuit, 0, 1000, 0.9, 60000);
    assert_int_equal(circuit.probe_at_ms, 61000);
}

static void circuit_backs_off_up_to_its_cap(void **state)
{
    struct circuit circuit = {0};
    int64_t now_ms = 0;

    (void)state;
    circuit_open(&circuit, 0, now_ms, 1.0, -1);
    for (int i = 0; i < 50; i++) {
        now_ms = circuit.probe_at_ms;
        circuit_probed(&circuit, 0, now_ms, 1.0);
        assert_in_range(circuit.probe_at_ms - now_ms, 1, CIRCUIT_PROBE_CAP_MS);
    }
    assert_int_equal(circuit.probe_at_ms - now_ms, CIRCUIT_PROBE_CAP_MS);
}

static void what_a_probe_cannot_ask_a_record_shows(void **state)
{
    struct circuit circuit = {0};

    (void)state;
    assert_int_equal(circuit_open(&circuit, 1, 0, 0.5, -1), 1);
    assert_false(circuit_may_try(&circuit, 0, 1000));
    assert_int_equal(circuit_probed(&circuit, 1, 1000, 0.5), 0);
    assert_int_equal(circuit.state, CIRCUIT_HALF_OPEN);
    assert_false(circuit_probe_due(&circuit, 1000000));
    assert_true(circuit_may_try(&circuit, 0, 1000));
    circuit_try(&circuit);
    assert_false(circuit_may_try(&circuit, 0, 1000));
    circuit_undecided(&circuit);
    assert_true(circuit_may_try(&circuit, 0, 1000));
    circuit_try(&circuit);
    circuit_passed(&circuit);
    assert_int_equal(circuit.state, CIRCUIT_CLOSED);
}

/* One alarm, and the trials become rare. */
static void a_renewed_refusal_is_silent_and_backs_off(void **state)
{
    struct circuit circuit = {0};
    int64_t now_ms = 0, waited_ms = 0;
    int alarms = circuit_open(&circuit, 1, now_ms, 1.0, -1);

    (void)state;
    for (int i = 0; i < 20; i++) {
        waited_ms = circuit.probe_at_ms - now_ms;
        now_ms = circuit.probe_at_ms;
        assert_true(circuit_probe_due(&circuit, now_ms));
        alarms += circuit_probed(&circuit, 1, now_ms, 1.0);
        /* Who was refused before leaves it to others for a while. */
        assert_false(circuit_may_try(&circuit, 1, now_ms));
        now_ms += CIRCUIT_OTHERS_FIRST_MS;
        assert_true(circuit_may_try(&circuit, 1, now_ms));
        circuit_try(&circuit);
        alarms += circuit_open(&circuit, 1, now_ms, 1.0, -1); /* another record, late */
        circuit_success(&circuit);                            /* so does this one */
        circuit_refused(&circuit, now_ms, 1.0, -1);
    }
    assert_int_equal(alarms, 1);
    assert_int_equal(waited_ms, CIRCUIT_PROBE_CAP_MS);
}

static void one_bad_record_never_opens_the_circuit(void **state)
{
    struct circuit circuit = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(circuit_failure(&circuit, 7, i, 0.5), 0);
    assert_int_equal(circuit.state, CIRCUIT_CLOSED);
}

static void many_records_in_a_row_do(void **state)
{
    struct circuit circuit = {0};
    int opened = 0;

    (void)state;
    for (uint32_t i = 0; i + 1 < CIRCUIT_FAILURES_IN_ROW; i++)
        opened += circuit_failure(&circuit, i + 1, 0, 0.5);
    assert_int_equal(opened, 0);
    circuit_success(&circuit);
    for (uint32_t i = 0; i < CIRCUIT_FAILURES_IN_ROW; i++)
        opened += circuit_failure(&circuit, i + 1, 0, 0.5);
    assert_int_equal(opened, 1);
}

static void failures_are_retried_then_given_up(void **state)
{
    static const struct {
        const char *name;
        struct failure failure;
        enum decision decision;
        int topic;
    } cases[] = {
        {"first", {1, 26, 0, 0}, DECISION_RETRY, 0},
        {"third", {3, 26, 0, 0}, DECISION_RETRY, 0},
        {"fourth", {4, 26, 0, 0}, DECISION_RETRY, 1},
        {"sixth", {6, 26, 0, 0}, DECISION_RETRY, 1},
        {"seventh", {7, 26, 0, 0}, DECISION_RETRY, 2},
        {"last but one", {25, 26, 0, 0}, DECISION_RETRY, 2},
        {"last", {26, 26, 0, 0}, DECISION_GIVE_UP, 2},
        {"last, in doubt", {26, 26, 1, 0}, DECISION_RETRY, 2},
        {"last, order done", {26, 26, 0, 1}, DECISION_INCOMPLETE, 2},
        {"only one attempt", {1, 1, 0, 0}, DECISION_GIVE_UP, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int topic = -1;
        enum decision decision = decide_failure(&cases[i].failure, &topic);

        if (decision != cases[i].decision || topic != cases[i].topic)
            fail_msg("%s: decision %d topic %d", cases[i].name, (int)decision, topic);
    }
}

static void attempts_last_about_a_day(void **state)
{
    static const int delays_s[] = {60, 600, 3600};
    int total_s = 0, topic;

    (void)state;
    for (int attempt = 1; attempt < 26; attempt++) {
        struct failure failure = {attempt, 26, 0, 0};

        assert_int_equal(decide_failure(&failure, &topic), DECISION_RETRY);
        total_s += delays_s[topic];
    }
    assert_in_range(total_s, 18 * 3600, 26 * 3600);
}

static void lookups_avoid_what_a_filter_cannot_hold(void **state)
{
    static const struct {
        const char *wanted, *value;
        int prefix;
    } cases[] = {
        {"ABC", "ABC", 0}, {"A;B", "A", 1}, {"A,B", "A", 1}, {"A*", "A", 1}, {";x", "", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct lookup lookup = decide_lookup(text_of(cases[i].wanted));

        if (lookup.value.length != strlen(cases[i].value) || lookup.prefix != cases[i].prefix ||
            memcmp(lookup.value.data, cases[i].value, lookup.value.length) != 0)
            fail_msg("%s", cases[i].wanted);
    }
}

static void a_goal_counts_as_sent_only_where_a_result_says_so(void **state)
{
    static const struct {
        const char *answer;
        enum achieved achieved;
    } cases[] = {
        {"{\"results\":[{\"success\":true,\"message\":\"Goal achieved\"}]}", ACHIEVED_YES},
        {"{\"results\":[{\"success\":false},{\"success\":true}]}", ACHIEVED_YES},
        {"{\"results\":[{\"success\":false,\"message\":\"No goal matches\"}]}", ACHIEVED_NO},
        {"{\"results\":[{\"message\":\"a false member may be left out\"}]}", ACHIEVED_NO},
        {"{\"results\":[{\"success\":\"true\"}]}", ACHIEVED_NO},
        {"{\"results\":[]}", ACHIEVED_NO},
        {"{\"results\":null}", ACHIEVED_UNKNOWN},
        {"{\"results\":{\"success\":true}}", ACHIEVED_UNKNOWN},
        {"{}", ACHIEVED_UNKNOWN},
        {"[]", ACHIEVED_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        yyjson_doc *doc = yyjson_read(cases[i].answer, strlen(cases[i].answer), 0);

        if (decide_achieved(yyjson_doc_get_root(doc)) != cases[i].achieved)
            fail_msg("%s", cases[i].answer);
        yyjson_doc_free(doc);
    }
    assert_int_equal(decide_achieved(NULL), ACHIEVED_UNKNOWN);
}

static void a_tag_counts_as_applied_only_where_the_result_says_so(void **state)
{
    static const struct {
        const char *answer;
        enum applied applied;
    } cases[] = {
        {"{\"results\":{\"42\":\"SUCCESS\"}}", APPLIED_YES},
        {"{\"results\":{\"42\":\"Success\"}}", APPLIED_YES},
        {"{\"results\":{\"42\":\"DUPLICATE\"}}", APPLIED_YES},
        {"{\"results\":{\"42\":\"FAILURE\"}}", APPLIED_OTHER},
        {"{\"results\":{\"42\":\"\"}}", APPLIED_OTHER},
        {"{\"results\":{\"43\":\"SUCCESS\"}}", APPLIED_UNKNOWN},
        {"{\"results\":{\"42\":true}}", APPLIED_UNKNOWN},
        {"{\"results\":[]}", APPLIED_UNKNOWN},
        {"{}", APPLIED_UNKNOWN},
        {"[]", APPLIED_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        yyjson_doc *doc = yyjson_read(cases[i].answer, strlen(cases[i].answer), 0);

        if (decide_applied(yyjson_doc_get_root(doc), "42") != cases[i].applied)
            fail_msg("%s", cases[i].answer);
        yyjson_doc_free(doc);
    }
    assert_int_equal(decide_applied(NULL, "42"), APPLIED_UNKNOWN);
}

static void filters_are_encoded(void **state)
{
    struct buffer query = {0};

    (void)state;
    infusionsoft_append_filter(&query, "email", text_of("a+b@c.de"), 0);
    assert_string_equal(query.data, "filter=email%3D%3Da%2Bb%40c.de");
    buffer_reset(&query);
    infusionsoft_append_filter(&query, "sku", text_of("A"), 1);
    assert_string_equal(query.data, "filter=sku%3D%3DA%2A");
    buffer_clear(&query);
}

static void heap_gives_the_first_due(void **state)
{
    static const int64_t dues[] = {50, 10, 40, 20, 30};
    struct heap heap;
    int64_t last = 0;

    (void)state;
    heap_init(&heap, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(heap_push(&heap, dues[i], (void *)(uintptr_t)&dues[i]), 0);
    assert_int_equal(heap_push(&heap, 1, heap.items), -1);
    assert_int_equal(heap_next_ms(&heap), 10);
    assert_null(heap_pop_due(&heap, 9));
    for (int i = 0; i < 5; i++) {
        const int64_t *due = heap_pop_due(&heap, 100);

        assert_true(*due > last);
        last = *due;
    }
    assert_null(heap_pop_due(&heap, 100));
    assert_int_equal(heap_next_ms(&heap), -1);
    heap_clear(&heap);
}

static void check_merge(const char *name, const char *existing, const char *wanted, int overwrite,
                        unsigned regions, const char *expected)
{
    yyjson_doc *a = yyjson_read(existing, strlen(existing), 0);
    yyjson_doc *b = yyjson_read(wanted, strlen(wanted), YYJSON_READ_NUMBER_AS_RAW);
    struct merge merge;

    merge_contact(yyjson_doc_get_root(a), yyjson_doc_get_root(b), overwrite, regions, &merge);
    if (strcmp(merge.mask_count > 0 ? merge.body : "", expected) != 0)
        fail_msg("%s: %s", name, merge.mask_count > 0 ? merge.body : "nothing");
    merge_clear(&merge);
    yyjson_doc_free(a);
    yyjson_doc_free(b);
}

static void contacts_are_merged(void **state)
{
    static const char wanted[] =
        "{\"given_name\":\"Ann\",\"email_addresses\":[{\"email\":\"a@b.c\","
        "\"field\":\"EMAIL1\"}],\"phone_numbers\":[{\"number\":\"1\",\"field\":"
        "\"PHONE1\"}],\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"x\","
        "\"region_code\":\"US-CA\"}]}";

    (void)state;
    check_merge(
        "keep, all empty", "{\"given_name\":\" \",\"phone_numbers\":[]}", wanted, 0, 0,
        "{\"given_name\":\"Ann\",\"phone_numbers\":[{\"number\":\"1\",\"field\":\"PHONE1\"}],"
        "\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"x\",\"region_code\":\"US-CA\"}]}");
    check_merge(
        "keep, all there",
        "{\"given_name\":\"Bo\",\"phone_numbers\":[{\"number\":\"9\",\"field\":\"PHONE1\"}],"
        "\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"y\"}]}",
        wanted, 0, 0, "");
    check_merge(
        "keep, the list's other entries stay",
        "{\"given_name\":\"Bo\",\"phone_numbers\":[{\"number\":\"9\",\"number_e164\":\"+9\","
        "\"field\":\"PHONE2\"}],\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"y\"}]}",
        wanted, 0, 0,
        "{\"phone_numbers\":[{\"number\":\"9\",\"field\":\"PHONE2\"},{\"number\":\"1\",\"field\":"
        "\"PHONE1\"}]}");
    check_merge(
        "overwrite, what differs",
        "{\"given_name\":\"Bo\",\"phone_numbers\":[{\"number\":\"1\",\"field\":\"PHONE1\"}],"
        "\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"y\"},{\"field\":\"OTHER\",\"line1\":"
        "\"z\"}]}",
        wanted, 1, 0,
        "{\"given_name\":\"Ann\",\"addresses\":[{\"field\":\"OTHER\",\"line1\":\"z\"},{\"field\":"
        "\"BILLING\",\"line1\":\"x\",\"region_code\":\"US-CA\"}]}");
    check_merge("without regions",
                "{\"given_name\":\"Bo\",\"phone_numbers\":[{\"number\":\"1\","
                "\"field\":\"PHONE1\"}]}",
                wanted, 0, MERGE_REGIONS_ALL,
                "{\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"x\"}]}");
    check_merge(
        "without the account's own region, ours stays",
        "{\"given_name\":\"Bo\",\"phone_numbers\":[{\"number\":\"1\",\"field\":\"PHONE1\"}],"
        "\"addresses\":[{\"field\":\"OTHER\",\"line1\":\"z\",\"region\":\"Nowhere\","
        "\"region_code\":\"US-XX\"}]}",
        wanted, 0, 4,
        "{\"addresses\":[{\"field\":\"OTHER\",\"line1\":\"z\"},{\"field\":\"BILLING\","
        "\"line1\":\"x\",\"region_code\":\"US-CA\"}]}");
}

static void refused_regions_are_named(void **state)
{
    static const struct {
        const char *answer;
        unsigned regions;
    } cases[] = {
        {"{\"message\":\"BILLING Region is invalid\"}", 1},
        {"{\"message\":\"SHIPPING Region is invalid, OTHER Region is invalid\"}", 6},
        {"{\"message\":\"region_code is unknown\"}", MERGE_REGIONS_ALL},
        {"{\"message\":\"INVALID_REGION\"}", MERGE_REGIONS_ALL},
        {"{\"message\":\"BILLING Line1 (too long) is invalid\"}", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (merge_refused_regions(text_of(cases[i].answer)) != cases[i].regions)
            fail_msg("%s", cases[i].answer);
}

static void evidence_survives_being_written_and_ignores_other_types(void **state)
{
    static const char delivered[] =
        "{\"modified_at\":5,\"digest\":\"abc\",\"incomplete\":[{\"step\":\"goal:A/b\",\"answer\":"
        "\"no\"},{\"step\":\"goal:A/b\",\"answer\":\"twice\"},{\"step\":7},\"x\"],"
        "\"left_out\":[\"billing phone: gone\",\"billing phone: gone\",7,\"\"],\"calls\":4,"
        "\"attempts\":2,\"times\":{\"placed\":1,\"polled\":2,\"eligible\":9,"
        "\"created\":3}}";
    static const char strange[] =
        "{\"digest\":1,\"incomplete\":{},\"left_out\":\"x\",\"calls\":\"4\",\"attempts\":-1,"
        "\"times\":[]}";
    struct evidence evidence = {0}, again = {0};
    yyjson_doc *doc = yyjson_read(delivered, strlen(delivered), YYJSON_READ_NUMBER_AS_RAW);
    char *text;

    (void)state;
    evidence_read(&evidence, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    text = evidence_write(&evidence);
    assert_string_equal(text,
                        "{\"digest\":\"abc\",\"incomplete\":[{\"step\":\"goal:A/b\",\"answer\":"
                        "\"no\"}],\"left_out\":[\"billing phone: "
                        "gone\"],\"calls\":4,\"attempts\":2,\"times\":{\"polled\":2,"
                        "\"eligible\":9,\"created\":3}}");
    doc = yyjson_read(text, strlen(text), 0);
    evidence_read(&again, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    free(text);
    assert_int_equal(again.created_at, 3);
    assert_int_equal(again.incomplete_count, 1);
    assert_int_equal(again.left_out_count, 1);
    evidence_clear(&again);
    doc = yyjson_read(strange, strlen(strange), YYJSON_READ_NUMBER_AS_RAW);
    evidence_read(&evidence, yyjson_doc_get_root(doc)); /* nothing of it is understood */
    yyjson_doc_free(doc);
    assert_int_equal(evidence.calls, 4);
    assert_int_equal(evidence.attempts, 2);
    assert_string_equal(evidence.digest, "abc");
    evidence_clear(&evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circuit_opens_once_and_closes_by_a_probe),
        cmocka_unit_test(circuit_waits_as_long_as_is_known),
        cmocka_unit_test(circuit_backs_off_up_to_its_cap),
        cmocka_unit_test(what_a_probe_cannot_ask_a_record_shows),
        cmocka_unit_test(a_renewed_refusal_is_silent_and_backs_off),
        cmocka_unit_test(one_bad_record_never_opens_the_circuit),
        cmocka_unit_test(many_records_in_a_row_do),
        cmocka_unit_test(failures_are_retried_then_given_up),
        cmocka_unit_test(attempts_last_about_a_day),
        cmocka_unit_test(lookups_avoid_what_a_filter_cannot_hold),
        cmocka_unit_test(a_goal_counts_as_sent_only_where_a_result_says_so),
        cmocka_unit_test(a_tag_counts_as_applied_only_where_the_result_says_so),
        cmocka_unit_test(filters_are_encoded),
        cmocka_unit_test(heap_gives_the_first_due),
        cmocka_unit_test(contacts_are_merged),
        cmocka_unit_test(refused_regions_are_named),
        cmocka_unit_test(evidence_survives_being_written_and_ignores_other_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
