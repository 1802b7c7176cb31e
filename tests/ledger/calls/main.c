/* ledger-calls - drives the ledger's C interface against an empty Redis, given as a URL; every
 * answer is compared. Prints the number of comparisons; exits 1 at the first wrong one. With a
 * second argument N it then measures N deliveries of five calls each: CPU time per call of this
 * process. Run by test_ledger_calls.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/stop.h"
#include "ledger/ledger.h"
#include "ledger/note.h"
#include "net/redis.h"

static int checks;

static void check(int good, const char *what, int line)
{
    checks++;
    if (!good) {
        printf("line %d: %s\n", line, what);
        exit(1);
    }
}
#define CHECK(condition) check((condition), #condition, __LINE__)
#define CALL(call) check((call) == 0, err.text[0] != '\0' ? err.text : #call, __LINE__)

static struct error err;
static struct redis *plain;
static struct ledger *a, *b;
static struct ledger_grant grant;
static enum ledger_answer answer;

static void command(const char *text)
{
    struct error own = {0};
    redisReply *reply = redis_command(plain, &own, text);

    check(reply != NULL, own.text, __LINE__);
    freeReplyObject(reply);
}

static struct ledger_request request_for(const char *id)
{
    return (struct ledger_request){.kind = LEDGER_ORDER,
                                   .account = text_of("main"),
                                   .id = text_of(id),
                                   .modified_at = 1000,
                                   .first_seen_ms = clock_now_ms() + 5000,
                                   .digest = "d1"};
}

static enum ledger_answer acquire(struct ledger *ledger, struct ledger_request request)
{
    CALL(ledger_acquire(ledger, &request, &grant, &err));
    return grant.answer;
}

/* Two records of retry topics, the second one of those that may have been handed out. */
static void put_notes(struct ledger_fill fills[2], struct ledger_note *note)
{
    CHECK(ledger_note_read(
              text_of("{\"v\":1,\"state\":\"open\",\"modified_at\":\"900\",\"digest\":\"d0\","
                      "\"steps\":{\"contact\":\"42\",\"goal:A/B\":\"sent\"}}"),
              note) == 0);
    for (int i = 0; i < 2; i++) {
        fills[i].state = LEDGER_STATE_OPEN;
        fills[i].step_count = 0;
        fills[i].note = note;
        fills[i].is_careful = i;
    }
}

static void fill(void)
{
    enum { COUNT = 600 };
    static char keys[COUNT][32];
    static struct ledger_fill fills[COUNT];
    static const struct ledger_step steps[] = {{(char *)"contact", (char *)"42"},
                                               {(char *)"order", (char *)"977"}};
    struct ledger_note note = {0};
    int taken;

    for (int i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "abc/order/%d", 100000 + i);
        fills[i] = (struct ledger_fill){.account = text_of("main"),
                                        .key = text_of(keys[i]),
                                        .state = LEDGER_STATE_DONE,
                                        .modified_at = 1000,
                                        .digest = "d1",
                                        .steps = steps,
                                        .step_count = 2};
    }
    fills[1] = (struct ledger_fill){.account = text_of("main"),
                                    .key = text_of(keys[1]),
                                    .state = LEDGER_STATE_DEAD,
                                    .modified_at = 1000,
                                    .digest = "d1",
                                    .reason = "refused"};
    put_notes(&fills[3], &note);
    command("SET t:ledger:main:abc/order/100002 garbage");
    CHECK(ledger_rebuild_fill(a, fills, COUNT, &err) != 0 &&
          err.kind == ERROR_TEMPORARY); /* no lock */
    error_clear(&err);
    CALL(ledger_rebuild_lock(a, &taken, &err));
    CHECK(taken);
    CALL(ledger_rebuild_lock(a, &taken, &err));
    CHECK(taken);
    CALL(ledger_rebuild_lock(b, &taken, &err));
    CHECK(!taken);
    command("SCRIPT FLUSH");
    CALL(ledger_rebuild_fill(a, fills, COUNT, &err));
    CALL(ledger_rebuild_finish(b, &answer, &err));
    CHECK(answer == LEDGER_FENCED);
    CALL(ledger_rebuild_finish(a, &answer, &err));
    CHECK(answer == LEDGER_OK);
    CHECK(acquire(b, request_for(keys[599])) == LEDGER_DONE && grant.step_count == 2);
    CHECK(strcmp(ledger_grant_step(&grant, "order"), "977") == 0);
    CHECK(ledger_grant_step(&grant, "payment") == NULL && !grant.newer &&
          grant.modified_at == 1000);
    CHECK(acquire(b, request_for(keys[1])) == LEDGER_DEAD && strcmp(grant.reason, "refused") == 0);
    CHECK(acquire(b, request_for(keys[3])) == LEDGER_GRANT && !grant.goals_in_doubt);
    CHECK(grant.step_count == 2 && strcmp(ledger_grant_step(&grant, "goal:A/B"), "sent") == 0);
    CHECK(acquire(b, request_for(keys[4])) == LEDGER_RECONCILE && grant.goals_in_doubt &&
          grant.step_count == 2 && strcmp(grant.doubt, "order") == 0);
    ledger_note_clear(&note);
    struct ledger_request damaged = request_for(keys[2]);
    CHECK(ledger_acquire(b, &damaged, &grant, &err) != 0 && err.kind == ERROR_PERMANENT);
    CHECK(strstr(err.text, "ledger entry is damaged") != NULL);
    error_clear(&err);
}

static void deliver(void)
{
    struct ledger_request request = request_for("abc/order/1");

    CHECK(acquire(a, request) == LEDGER_GRANT && grant.step_count == 0 && grant.doubt == NULL);
    struct ledger_grant first = grant;
    grant = (struct ledger_grant){0};
    CHECK(acquire(b, request) == LEDGER_BUSY && grant.wait_ms > 0 && grant.wait_ms <= 60000);
    CALL(ledger_begin(a, &first, "order", &answer, &err));
    CHECK(answer == LEDGER_OK);
    CALL(ledger_begin(b, &grant, "order", &answer, &err));
    CHECK(answer == LEDGER_FENCED);
    command("CLIENT KILL TYPE normal SKIPME yes");
    CALL(ledger_end(a, &first, "order", "977", "goal:BCORDER/BC", &answer, &err));
    CHECK(answer == LEDGER_OK);
    command("SCRIPT FLUSH");
    CALL(ledger_finish(a, &first, LEDGER_FINISH_DONE, "goal:BCORDER/BC", "sent", NULL, NULL,
                       &answer, &err));
    CHECK(answer == LEDGER_OK);
    CALL(ledger_finish(a, &first, LEDGER_FINISH_DONE, "goal:BCORDER/BC", "sent", NULL, NULL,
                       &answer, &err));
    CHECK(answer == LEDGER_OK);
    request.modified_at = 2000;
    CHECK(acquire(b, request) == LEDGER_DONE && grant.newer && grant.step_count == 2);
    request.modified_at = 1;
    CHECK(acquire(b, request) == LEDGER_OLD);
    ledger_grant_clear(&first);
}

static void reconcile(void)
{
    struct ledger_request request = request_for("abc/order/2");
    struct ledger_note note = {0};
    struct buffer entry = {0};

    CHECK(acquire(a, request) == LEDGER_GRANT);
    CALL(ledger_begin(a, &grant, "order", &answer, &err));
    CALL(ledger_finish(a, &grant, LEDGER_FINISH_RETRY, "contact", "42", NULL, &entry, &answer,
                       &err));
    CHECK(ledger_note_read((struct text){entry.data, entry.length}, &note) == 0);
    CHECK(strcmp(note.fields[LEDGER_NOTE_STATE], "open") == 0 &&
          strcmp(note.fields[LEDGER_NOTE_DOUBT], "order") == 0 &&
          note.fields[LEDGER_NOTE_GOALS] == NULL && note.step_count == 1 &&
          strcmp(note.steps[0].result, "42") == 0);
    CHECK(acquire(b, request) == LEDGER_RECONCILE && strcmp(grant.doubt, "order") == 0);
    CHECK(grant.doubt_visible_in_ms > 0 && grant.doubt_visible_in_ms <= 30000);
    CALL(ledger_end(b, &grant, "order", NULL, "order", &answer, &err));
    CHECK(answer == LEDGER_OK);
    CALL(ledger_end(b, &grant, "order", "978", NULL, &answer, &err));
    CALL(ledger_finish(b, &grant, LEDGER_FINISH_DONE, NULL, NULL, NULL, &entry, &answer, &err));
    CHECK(entry.length == 0);
    CHECK(acquire(a, request) == LEDGER_DONE && grant.look_again && !grant.goals_in_doubt);
    request = request_for("abc/order/3");
    request.first_seen_ms = 1;
    command("HSET t:ledger since 1 keep 1000");
    CHECK(acquire(a, request) == LEDGER_RECONCILE && grant.goals_in_doubt);
    CALL(ledger_finish(a, &grant, LEDGER_FINISH_WITHDRAWN, "order", NULL, NULL, NULL, &answer,
                       &err));
    CHECK(answer == LEDGER_OK);
    CHECK(acquire(a, request) == LEDGER_OLD);
    ledger_note_clear(&note);
    buffer_clear(&entry);
}

static void cache(void)
{
    struct ledger_request request = {
        .kind = LEDGER_CONTACT, .account = text_of("main"), .id = text_of("c1"), .digest = "one"};
    struct ledger_peek peeks[300];

    /* The ledger was rebuilt a moment ago: a contact of the lost moments may not be visible yet. */
    CHECK(acquire(a, request) == LEDGER_RECONCILE && strcmp(grant.doubt, "contact") == 0);
    CHECK(grant.doubt_visible_in_ms > 0);
    CALL(ledger_finish(a, &grant, LEDGER_FINISH_DONE, "contact", "42", NULL, NULL, &answer, &err));
    CHECK(answer == LEDGER_OK);
    command("SET t:ledger:main:product:p1 garbage");
    for (int i = 0; i < 300; i++)
        peeks[i] = (struct ledger_peek){.kind = LEDGER_PRODUCT, .id = text_of("p1")};
    peeks[0] = (struct ledger_peek){.kind = LEDGER_CONTACT, .id = text_of("c1"), .digest = "one"};
    peeks[299] = (struct ledger_peek){.kind = LEDGER_CONTACT, .id = text_of("c1"), .digest = "two"};
    CALL(ledger_peek_many(b, text_of("main"), peeks, 300, &err));
    CHECK(strcmp(peeks[0].result, "42") == 0 && strcmp(peeks[0].known_id, "42") == 0);
    CHECK(peeks[1].result[0] == '\0' && peeks[1].known_id[0] == '\0');
    CHECK(peeks[299].result[0] == '\0' && strcmp(peeks[299].known_id, "42") == 0);
    command("CLIENT KILL TYPE normal SKIPME yes");
    CALL(ledger_peek_many(b, text_of("main"), peeks, 1, &err));
    CALL(ledger_forget(b, text_of("main"), LEDGER_CONTACT, text_of("c1"), "41", &err));
    CHECK(acquire(a, request) == LEDGER_DONE);
    CALL(ledger_forget(b, text_of("main"), LEDGER_CONTACT, text_of("c1"), "42", &err));
    CHECK(acquire(a, request) == LEDGER_GRANT && grant.step_count == 0);
}

/* acquire with peeks behind it: whatever becomes of the connection or of the scripts, both are
 * answered. */
static void acquire_and_peek(void)
{
    struct ledger_request request = request_for("abc/order/77");
    struct ledger_request contact = {
        .kind = LEDGER_CONTACT, .account = text_of("main"), .id = text_of("c7"), .digest = "one"};
    struct ledger_peek peeks[300];
    char longest[300];

    CHECK(acquire(a, contact) == LEDGER_RECONCILE);
    CALL(ledger_finish(a, &grant, LEDGER_FINISH_DONE, "contact", "43", NULL, NULL, &answer, &err));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++)
            peeks[i] = (struct ledger_peek){.kind = LEDGER_CONTACT, .id = text_of("c7")};
        peeks[1].id = text_of("unknown");
        if (round == 1)
            command("SCRIPT FLUSH");
        if (round == 2)
            command("CLIENT KILL TYPE normal SKIPME yes");
        CALL(ledger_acquire_and_peek(b, &request, &grant, peeks, 300, &err));
        CHECK(grant.answer == LEDGER_RECONCILE || grant.answer == LEDGER_GRANT);
        CHECK(strcmp(peeks[0].result, "43") == 0 && strcmp(peeks[299].result, "43") == 0);
        CHECK(peeks[1].result[0] == '\0');
    }
    memset(longest, 'x', sizeof(longest));
    peeks[1].id = (struct text){longest, sizeof(longest)};
    CHECK(ledger_acquire_and_peek(b, &request, &grant, peeks, 2, &err) != 0 &&
          err.kind == ERROR_PERMANENT);
    error_clear(&err);
    CALL(ledger_acquire_and_peek(b, &request, &grant, peeks, 1, &err));
    CHECK(strcmp(peeks[0].result, "43") == 0);
    CHECK(acquire(a, contact) == LEDGER_DONE);
}

static void faults(const struct redis_server *server)
{
    char nowhere[] = "unix:///nowhere/redis.sock";
    char no_url[] =
        "http://x"; /* no order is bad because of it: the settings were checked at start */
    struct redis_server other = {.url = nowhere};
    struct ledger_settings settings = {.server = &other, .prefix = "t", .timeout_ms = 200};
    struct ledger_request request = request_for("abc/order/4");
    struct buffer warnings = {0};
    struct ledger *lost = ledger_new(&settings);
    int64_t epoch, later;
    char longest[300];

    CHECK(ledger_hello(lost, &answer, &err) != 0 && err.kind == ERROR_TEMPORARY);
    error_clear(&err);
    ledger_free(lost);
    other.url = no_url;
    lost = ledger_new(&settings);
    CHECK(ledger_hello(lost, &answer, &err) != 0 && err.kind == ERROR_TEMPORARY);
    error_clear(&err);
    ledger_free(lost);

    memset(longest, 'x', sizeof(longest));
    request.id = (struct text){longest, sizeof(longest)};
    CHECK(ledger_acquire(a, &request, &grant, &err) != 0 && err.kind == ERROR_PERMANENT);
    error_clear(&err);

    settings = (struct ledger_settings){
        .server = server, .prefix = "t", .lease_ms = 60000, .keep_ms = 86400000, .timeout_ms = 100};
    lost = ledger_new(&settings);
    request = request_for("abc/order/5");
    CHECK(acquire(lost, request) == LEDGER_GRANT);
    command("CLIENT PAUSE 400");
    CHECK(ledger_begin(lost, &grant, "order", &answer, &err) != 0 && err.kind == ERROR_TEMPORARY);
    for (int i = 0; i < 20 && err.kind != ERROR_NONE; i++) {
        error_clear(&err);
        if (ledger_begin(lost, &grant, "order", &answer, &err) == 0)
            break;
    }
    CHECK(err.kind == ERROR_NONE && answer == LEDGER_OK);
    ledger_free(lost);

    CALL(ledger_check_server(a, &warnings, &err));
    CHECK(warnings.length > 0);
    buffer_clear(&warnings);
    CALL(ledger_epoch(a, &epoch, &err));
    CALL(ledger_distrust(b, &err));
    CALL(ledger_epoch(a, &later, &err));
    CHECK(epoch > 0 && later == 0);
    CALL(ledger_finish(a, &grant, LEDGER_FINISH_DONE, NULL, NULL, NULL, NULL, &answer, &err));
    CHECK(answer == LEDGER_LOST);
}

static double cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void measure(int count)
{
    int64_t start_ms = clock_monotonic_ms();
    double start_us = cpu_us();
    int taken;
    struct ledger_request request;
    struct ledger_peek peeks[3];

    CALL(ledger_rebuild_lock(a, &taken, &err));
    CALL(ledger_rebuild_finish(a, &answer, &err));
    for (int i = 0; i < count; i++) {
        char id[32];

        snprintf(id, sizeof(id), "abc/order/%d", 1000000 + i);
        request = request_for(id);
        for (int j = 0; j < 3; j++)
            peeks[j] =
                (struct ledger_peek){.kind = LEDGER_PRODUCT, .id = text_of("p2"), .digest = "d"};
        CALL(ledger_acquire_and_peek(a, &request, &grant, peeks, 3, &err));
        CHECK(grant.answer == LEDGER_GRANT);
        CALL(ledger_end(a, &grant, "contact", "42", "order", &answer, &err));
        CALL(ledger_end(a, &grant, "order", "977", "goal:BCORDER/BC", &answer, &err));
        CALL(ledger_finish(a, &grant, LEDGER_FINISH_DONE, "goal:BCORDER/BC", "sent", NULL, NULL,
                           &answer, &err));
        CHECK(answer == LEDGER_OK);
    }
    printf("ledger-calls: deliveries=%d cpu_us_per_call=%.1f wall_us_per_call=%.1f\n", count,
           (cpu_us() - start_us) / count / 4,
           (double)(clock_monotonic_ms() - start_ms) * 1000 / count / 4);
}

/* The test replaces the server while the lock is held: what was filled in is gone, its lock is not.
 */
static void lose_server(void)
{
    int taken = 0;

    CALL(ledger_rebuild_lock(a, &taken, &err));
    CHECK(taken);
    printf("locked\n");
    fflush(stdout);
    CHECK(getchar() == '\n');
    CHECK(ledger_rebuild_lock(a, &taken, &err) != 0 && err.kind == ERROR_TEMPORARY);
    error_clear(&err);
    CALL(ledger_rebuild_lock(a, &taken, &err));
    CHECK(!taken); /* the new one has to wait until the old one expires */
}

int main(int argc, char **argv)
{
    struct ledger_settings settings = {.prefix = "t",
                                       .lease_ms = 60000,
                                       .visibility_delay_ms = 30000,
                                       .keep_ms = 86400000,
                                       .timeout_ms = 5000};

    struct ledger_request first = {.account = text_of("main"),
                                   .id = text_of("abc/order/9"),
                                   .first_seen_ms = 1577836800000,
                                   .digest = "d"}; /* of years ago */
    struct redis_server server = {0};
    int64_t epoch;
    int started;

    if (argc < 2)
        return 100;
    stop_install(); /* ignores PIPE, as every program does */
    server.url = argv[1];
    settings.server = &server;
    plain = redis_new(&server, 5000);
    a = ledger_new(&settings);
    b = ledger_new(&settings);
    if (argc > 2 && strcmp(argv[2], "lose-server") == 0) {
        lose_server();
        goto out;
    }
    CALL(ledger_hello(a, &answer, &err));
    CHECK(answer == LEDGER_LOST);
    CHECK(acquire(b, request_for("abc/order/1")) == LEDGER_LOST);
    CALL(ledger_start(a, &started, &err));
    CHECK(started);
    CALL(ledger_start(a, &started, &err));
    CHECK(!started);
    CALL(ledger_epoch(a, &epoch, &err));
    CHECK(epoch == 1 && acquire(b, first) == LEDGER_GRANT);
    CALL(ledger_distrust(a, &err));
    CALL(ledger_start(a, &started, &err));
    CHECK(!started && acquire(b, first) == LEDGER_LOST);
    fill();
    CALL(ledger_hello(b, &answer, &err));
    CHECK(answer == LEDGER_OK);
    deliver();
    reconcile();
    cache();
    acquire_and_peek();
    faults(&server);
    if (argc > 2)
        measure((int)strtol(argv[2], NULL, 10));
out:
    printf("ledger-calls: %d checks passed\n", checks);
    ledger_grant_clear(&grant);
    ledger_free(a);
    ledger_free(b);
    redis_free(plain);
    return 0;
}
