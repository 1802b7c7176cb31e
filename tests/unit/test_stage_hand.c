/* test_stage_hand.c - records that an asynchronous handler refuses alone: they wait, and those behind them in
 * their partition, while the records of other partitions go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "settings/config.h"
#include "stage/internal.h"

enum { PARTITIONS = 2, RECORDS = 16 };

static const char *const inputs[] = {"waiting.main"};
static struct config config;
static struct topics topics;
static struct partition partitions[PARTITIONS];
static struct ticket tickets[RECORDS];
static int count, is_full;
static char asked[400]; /* what was offered: "0/1+" taken, "0/1-" refused alone */

/* Bulk is what has the key "bulk". */
static enum stage_answer offer(void *context, struct ticket *ticket, const struct event *in)
{
    int is_refused = is_full && strcmp(in->key.data, "bulk") == 0;
    size_t used = strlen(asked);

    (void)context;
    (void)ticket;
    if (used < sizeof(asked))
        snprintf(asked + used, sizeof(asked) - used, "%d/%d%s ", in->partition, (int)in->offset,
                 is_refused ? "-" : "+");
    return is_refused ? STAGE_FULL_FOR_IT : STAGE_TAKEN;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    stage->settings = (struct stage_settings){.config = &config,
                                              .service = "test",
                                              .topics = &topics,
                                              .inputs = inputs,
                                              .input_count = 1,
                                              .inflight_records_max = 1000,
                                              .inflight_bytes_max = 1000};
    stage->offer = offer;
    stage->behind_end = &stage->behind;
    stage->topic_paused = calloc(1, sizeof(*stage->topic_paused));
    stage->lags = calloc(1, sizeof(*stage->lags));
    memset(partitions, 0, sizeof(partitions));
    memset(tickets, 0, sizeof(tickets));
    for (int i = 0; i < PARTITIONS; i++) {
        partitions[i].id = i;
        handout_init(&partitions[i].handout);
    }
    count = 0;
    is_full = 1;
    asked[0] = '\0';
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;

    free(stage->topic_paused);
    free(stage->lags);
    free(stage);
    return 0;
}

/* A record of a partition comes from the consumer. */
static void come(struct stage *stage, int partition, int64_t offset, const char *key)
{
    struct ticket *ticket = &tickets[count++];

    ticket->stage = stage;
    ticket->partition = &partitions[partition];
    ticket->bytes = 1;
    ticket->event = (struct event){
        .key = text_of(key), .topic = inputs[0], .partition = partition, .offset = offset};
    partitions[partition].ticket_count++;
    ticket_hand(stage, ticket, 0);
}

/* The time comes at which refused records are offered again. */
static void look_again(struct stage *stage)
{
    asked[0] = '\0';
    for (int i = 0; i < PARTITIONS; i++)
        if (partitions[i].offer_ms > 0)
            partitions[i].offer_ms = 1;
    ticket_hand_behind(stage);
}

static void test_only_the_partition_of_a_refused_record_waits(void **state)
{
    struct stage *stage = *state;

    come(stage, 0, 1, "bulk");
    come(stage, 0, 2, "order");
    come(stage, 1, 1, "order");
    ticket_hand_behind(stage);
    assert_string_equal(asked, "0/1- 1/1+ ");
    assert_true(stage_has_room(stage));
    assert_int_equal(stage->inflight, 1);
    assert_int_equal(stage->inflight_bytes, 1);
}

static void test_records_that_waited_stay_in_their_order(void **state)
{
    struct stage *stage = *state;

    come(stage, 0, 1, "bulk");
    come(stage, 1, 1, "bulk");
    come(stage, 0, 2, "bulk");
    come(stage, 1, 2, "order");
    for (int i = 0; i < 3; i++) {
        look_again(stage);
        assert_null(strstr(asked, "/2"));
        assert_int_equal(strlen(asked), strlen("0/1- 1/1- "));
    }
    is_full = 0;
    look_again(stage);
    assert_true(strstr(asked, "0/1+") < strstr(asked, "0/2+"));
    assert_true(strstr(asked, "1/1+") < strstr(asked, "1/2+"));
    assert_int_equal(stage->inflight, 4);
    assert_null(stage->behind);
    come(stage, 0, 3, "order");
    assert_int_equal(stage->inflight, 5);
}

static void test_a_record_that_is_held_may_be_refused_alone_later(void **state)
{
    struct stage *stage = *state;

    come(stage, 0, 1, "bulk");
    look_again(stage);
    stage->held = ticket_take_behind(stage, &stage->behind);
    stage->held->handed = 1;
    stage->inflight++;
    stage->inflight_bytes++;
    ticket_offer_held(stage);
    assert_null(stage->held);
    assert_int_equal(stage->inflight, 0);
    assert_ptr_equal(stage->behind, &tickets[0]);
}

/* What waits in memory is bounded. */
static void test_a_partition_with_many_that_wait_is_paused(void **state)
{
    struct stage *stage = *state;

    for (int i = 0; i < 8; i++) {
        assert_false(partitions[0].pause & PAUSE_DUE);
        come(stage, 0, i, "bulk");
    }
    assert_true(partitions[0].pause & PAUSE_DUE);
    assert_false(partitions[1].pause);
    is_full = 0;
    look_again(stage);
    assert_false(partitions[0].pause);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_the_partition_of_a_refused_record_waits, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_records_that_waited_stay_in_their_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_record_that_is_held_may_be_refused_alone_later,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_partition_with_many_that_wait_is_paused, setup,
                                        teardown),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
