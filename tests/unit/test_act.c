/* test_act.c - the pure parts of what operators do: the audit's chain, which records can be tried
 * again and where they go, what a word for a pause means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "act/again.h"
#include "act/audit_chain.h"
#include "act/pause.h"
#include "act/person.h"
#include "record/forgotten.h"

/* A topic in memory. */
static struct {
    char *values[16];
    int count;
} topic;

static void topic_clear(void)
{
    for (int i = 0; i < topic.count; i++)
        free(topic.values[i]);
    topic.count = 0;
}

/* Writes the entry that follows what this writer knows. */
static void append(const struct audit_chain *known, const char *act)
{
    json_t *entry = json_pack("{s:s}", "act", act);

    topic.values[topic.count++] = audit_chain_write(known, entry);
    json_decref(entry);
}

static enum audit_link add(struct audit_chain *chain, int offset)
{
    struct event event = {.value = text_of(topic.values[offset]), .offset = offset};

    return audit_chain_add(chain, &event, NULL);
}

/* Four entries; a is what a reader knows after them. */
static void fill(struct audit_chain *chain)
{
    audit_chain_init(chain);
    for (int i = 0; i < 4; i++) {
        append(chain, "drop");
        assert_int_equal(add(chain, i), AUDIT_LINK_PART);
    }
    assert_int_equal(chain->n, 4);
    assert_null(chain->broken_why);
}

static void reread(struct audit_chain *chain)
{
    audit_chain_clear(chain);
    audit_chain_init(chain);
    for (int i = 0; i < topic.count; i++)
        add(chain, i);
}

static void test_two_at_once(void **state)
{
    struct audit_chain first, second;

    (void)state;
    fill(&first);
    audit_chain_init(&second);
    for (int i = 0; i < 4; i++)
        add(&second, i);
    append(&first, "a");  /* offset 4 */
    append(&second, "b"); /* offset 5: for the same place */
    assert_int_equal(add(&second, 4), AUDIT_LINK_PART);
    assert_int_equal(add(&second, 5), AUDIT_LINK_VOID);
    append(&second, "b"); /* once more */
    assert_int_equal(add(&second, 6), AUDIT_LINK_PART);
    reread(&first);
    assert_null(first.broken_why);
    assert_int_equal(first.parts, 6);
    assert_int_equal(first.voids, 1);
    assert_string_equal(first.head, second.head);
    audit_chain_clear(&first);
    audit_chain_clear(&second);
    topic_clear();
}

static void test_changed_entry(void **state)
{
    struct audit_chain chain;
    char *at;

    (void)state;
    fill(&chain);
    at = strstr(topic.values[1], "drop");
    assert_non_null(at);
    memcpy(at, "DROP", 4);
    reread(&chain);
    assert_int_equal(chain.broken_n, 3); /* what follows it does not fit any more */
    assert_int_equal(chain.broken_offset, 2);
    assert_string_equal(chain.broken_why, "the entry before it was changed or replaced");
    append(&chain, "on"); /* it goes on behind the fault */
    assert_int_equal(add(&chain, 4), AUDIT_LINK_PART);
    assert_int_equal(chain.broken_n, 3);
    audit_chain_clear(&chain);
    topic_clear();
}

static void test_removed_entry(void **state)
{
    for (int removed = 0; removed < 3; removed++) {
        struct audit_chain chain;

        (void)state;
        fill(&chain);
        free(topic.values[removed]);
        memmove(&topic.values[removed], &topic.values[removed + 1],
                (size_t)(topic.count - removed - 1) * sizeof(char *));
        topic.count--;
        reread(&chain);
        assert_int_equal(chain.broken_n, removed + 1);
        assert_string_equal(chain.broken_why, "entries before it are missing");
        audit_chain_clear(&chain);
        topic_clear();
    }
}

static void test_hostile_entries(void **state)
{
    static const char *const values[] = {
        "",
        "{",
        "[]",
        "{\"n\":5}",
        "{\"n\":\"5\",\"before\":\"x\"}",
        "{\"n\":5,\"before\":\"00\"}",
        "{\"n\":-1,\"before\":\"00\"}",
        "{\"n\":9223372036854775807,\"before\":\"00\"}",
        "{\"n\":2,\"before\":\"0000000000000000000000000000000000000000000000000000000000000000\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct audit_chain chain;

        fill(&chain);
        topic.values[topic.count++] = mem_strdup(values[i]);
        assert_int_equal(add(&chain, 4), AUDIT_LINK_BROKEN);
        assert_int_equal(chain.broken_offset, 4);
        audit_chain_clear(&chain);
        topic_clear();
    }
}

static const char payload[] = "{\"account\":\"main\",\"contact\":{\"email_addresses\":[{\"email\":"
                              "\"Ann@Example.com\"}]}}";

static void test_again(void **state)
{
    static const struct {
        const char *topic, *stage, *reason, *key, *value;
        const char *to;      /* NULL: refused */
        const char *refused; /* a part of the sentence */
    } cases[] = {
        {"b.dead", "filter", "malformed", "abc/order/1", "{", "b.orders.raw", NULL},
        {"b.dead", "mapper", "total_mismatch", "abc/order/1", "{}", "b.orders.eligible", NULL},
        {"b.dead", "pusher", "refused", "abc/order/1", payload, "b.orders.payloads", NULL},
        {"b.dead", "pusher", "poison", "abc/order/1", "\xff", "b.orders.payloads", NULL},
        {"b.dead", "poller", "malformed", "abc/order/1", "{", "b.orders.raw", NULL},
        {"b.dead", "poller", "gave_up", "abc/order/1", "{}", NULL, "did not show"},
        {"b.dead", "poller", "refused", "abc/order/1", "{}", NULL, "did not show"},
        {"b.dead", "pusher", "too_large", "abc/order/1", "{}", NULL, "too large"},
        {"b.dead", "", "refused", "abc/order/1", "{}", NULL, "which program"},
        {"b.dead", "filter", "malformed", "b.orders.raw/0/7", "{}", NULL, "names no order"},
        {"b.dead", "pusher", "refused", "abc/order/1",
         "{\"forgotten\":\"2026-01-02T03:04:05.678Z\",\"digest\":"
         "\"0123456789abcdef0123456789abcdef\"}",
         NULL, "forgotten"},
        {"b.retry-10m", "", "retrying", "abc/order/1", payload, "b.orders.payloads", NULL},
        {"b.retry-1h", "", "in_doubt", "abc/order/1", payload, NULL, "looked up"},
        {"b.waiting.main", "", "account_closed", "abc/order/1", payload, "b.orders.payloads", NULL},
    };
    static char prefix[] = "b", account_name[] = "main";
    struct config_account account = {.name = account_name};
    struct config config = {.accounts = &account, .account_count = 1};
    struct topics topics;

    (void)state;
    config.kafka.topic_prefix = prefix;
    topics_init(&topics, &config);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct event event = {.key = text_of(cases[i].key),
                              .value = text_of(cases[i].value),
                              .topic = cases[i].topic};
        struct output output;
        const char *refusal;

        event.headers[HEADER_STAGE] = text_of(cases[i].stage);
        event.headers[HEADER_REASON] = text_of(cases[i].reason);
        event.headers[HEADER_ATTEMPT] = text_of("26");
        event.headers[HEADER_LEDGER] = text_of("note");
        event.headers[HEADER_SOURCE] = text_of("poll");
        event.headers[HEADER_KIND] = text_of("order");
        refusal = again_make(&topics, &event, event.value, "1700000000000", &output);
        if (cases[i].to == NULL) {
            if (refusal == NULL || strstr(refusal, cases[i].refused) == NULL)
                fail_msg("case %zu: %s", i, refusal != NULL ? refusal : "not refused");
            continue;
        }
        if (refusal != NULL)
            fail_msg("case %zu: %s", i, refusal);
        assert_string_equal(output.topic, cases[i].to);
        assert_true(text_is(output.headers[HEADER_SOURCE], "replay"));
        assert_true(text_is(output.headers[HEADER_REPLAYED_AT], "1700000000000"));
        assert_true(text_is(output.headers[HEADER_LEDGER], "note"));
        assert_true(text_is(output.headers[HEADER_KIND], "order"));
        assert_null(output.headers[HEADER_ATTEMPT].data);
        assert_null(output.headers[HEADER_REASON].data);
        assert_null(output.headers[HEADER_STAGE].data);
        if (cases[i].value == payload)
            assert_int_equal(output.partition_hash,
                             event_hash_contact(text_of("main"), text_of("ann@example.com")));
        else
            assert_int_equal(output.partition_hash, event_hash(0, event.key));
    }
    topics_clear(&topics);
}

static void test_pause_target(void **state)
{
    static const struct {
        const char *word;
        int kind; /* -1: refused */
        const char *name;
    } cases[] = {
        {"BC", PAUSED_STORE, "abc123"},
        {"bc", PAUSED_STORE, "abc123"},
        {"abc123", PAUSED_STORE, "abc123"},
        {"main", PAUSED_ACCOUNT, "main"},
        {"store:S1", PAUSED_STORE, "abc124"},
        {"account:S1", PAUSED_ACCOUNT, "S1"},
        {"S1", -1, NULL},
        {"store:main", -1, NULL},
        {"", -1, NULL},
        {"store:", -1, NULL},
        {"nowhere", -1, NULL},
    };
    static char names[][8] = {"main", "abc123", "BC", "second", "abc124", "S1", "main", "S1"};
    struct config_store stores[] = {{.name = names[0], .hash = names[1], .code = names[2]},
                                    {.name = names[3], .hash = names[4], .code = names[5]}};
    struct config_account accounts[] = {{.name = names[6]}, {.name = names[7]}};
    struct config config = {
        .stores = stores, .store_count = 2, .accounts = accounts, .account_count = 2};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pause_target target;
        struct error err = {0};
        int rc = pause_target_find(&config, cases[i].word, &target, &err);

        if ((rc == 0) != (cases[i].kind >= 0))
            fail_msg("%s: %d %s", cases[i].word, rc, err.text);
        if (rc == 0) {
            assert_int_equal(target.kind, cases[i].kind);
            assert_string_equal(target.name, cases[i].name);
        }
    }
}

static void test_person(void **state)
{
    static const struct {
        const char *value;
        int has;
    } cases[] = {
        {"{\"billing_address\":{\"email\":\" Ann@Example.com\"}}", 1},
        {"{\"billing_address\":{\"email\":\"joann@example.com\"}}", 0},
        {"{\"billing_address\":{\"email\":\"ann@example.com.au\"}}", 0},
        {"{\"billing_address\":{\"email\":\"a\\u006en@example.com\"}}", 1},
        {payload, 1},
        {"{\"contact\":{\"email_addresses\":[{\"email\":\"bob@example.com\"}]}}", 0},
        {"not JSON ANN@example.com, or so", 1},
        {"not JSON x-ann@example.com", 0},
        {"ann@example.com", 1},
        {"ann@example.co", 0},
        {"", 0},
        {NULL, 0},
    };
    struct person person, other;
    struct error err = {0};

    (void)state;
    assert_int_equal(person_init(&person, " Ann@EXAMPLE.com\t", &err), 0);
    assert_int_equal(person_init(&other, "ann@example.com", &err), 0);
    assert_string_equal(person.digest, other.digest);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (person_has(&person, text_of(cases[i].value)) != cases[i].has)
            fail_msg("%s", cases[i].value);
    assert_int_equal(person_init(&other, "", &err), -1);
    assert_int_equal(person_init(&other, "ann", &err), -1);
}

/* What takes the place of a forgotten value tells the digest of that value. */
static void test_forgotten(void **state)
{
    struct buffer value = {0};
    struct text before = text_of(payload);
    char digest[DIGEST_BYTES] = "", wanted[DIGEST_BYTES];

    (void)state;
    forgotten_write(&value, before, "2026-01-02T03:04:05.678Z");
    digest_hex(wanted, &before, 1);
    assert_true(forgotten_read((struct text){value.data, value.length}, digest));
    assert_string_equal(digest, wanted);
    assert_false(forgotten_read((struct text){value.data, value.length - 1}, NULL));
    value.data[60] = 'X';
    assert_false(forgotten_read((struct text){value.data, value.length}, NULL));
    assert_false(forgotten_read(before, NULL));
    assert_false(forgotten_read((struct text){NULL, 0}, NULL));
    buffer_clear(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_at_once),   cmocka_unit_test(test_changed_entry),
        cmocka_unit_test(test_removed_entry), cmocka_unit_test(test_hostile_entries),
        cmocka_unit_test(test_again),         cmocka_unit_test(test_pause_target),
        cmocka_unit_test(test_person),        cmocka_unit_test(test_forgotten),
    };

    return cmocka_run_group_tests_name("act", tests, NULL, NULL);
}
