/* What Redis answers to the ledger's scripts and to INFO, as it comes over the wire. */
#include "fuzz.h"

#include <string.h>

#include "ledger/handle.h"

const struct fuzz_target fuzz_target = {"reply", 0};

static void read_grant(const redisReply *reply)
{
    struct ledger_grant grant = {0};
    struct error err = {0};

    if (ledger_grant_read(&grant, reply, 60000, &err) == 0 && grant.answer != LEDGER_LOST) {
        (void)ledger_grant_step(&grant, "order");
        fuzz_check(grant.answer != LEDGER_RECONCILE || grant.doubt != NULL);
        fuzz_check(strlen(grant.fence) < sizeof(grant.fence));
        for (int i = 0; i < grant.step_count; i++)
            fuzz_check(grant.steps[i].name != NULL && grant.steps[i].result != NULL);
    }
    ledger_grant_clear(&grant);
}

static void read_reply(const redisReply *reply)
{
    struct ledger_peek peek = {.kind = LEDGER_CONTACT};
    struct error err = {0};
    char value[24];

    (void)redis_script_unknown(reply);
    if (redis_reply_check(reply, &err) != 0)
        return;
    ledger_peek_read(&peek, reply);
    fuzz_check(strlen(peek.result) < sizeof(peek.result));
    if (reply->type == REDIS_REPLY_STRING)
        (void)ledger_info_value(value, sizeof(value), reply->str, "run_id");
    if (reply->type == REDIS_REPLY_ARRAY) {
        (void)ledger_element_int(reply, 1, -1);
        read_grant(reply);
    }
}

/* hiredis makes room for as many elements as are announced: its own affair. */
static int announces_much(struct text text)
{
    size_t digits = 0;

    for (size_t i = 0; i < text.length; i++) {
        digits = text.data[i] >= '0' && text.data[i] <= '9' ? digits + 1 : 0;
        if (digits > 4 && i >= digits && strchr("*%~>", text.data[i - digits]) != NULL)
            return 1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static redisReader *reader;
    void *reply = NULL;

    if (announces_much((struct text){(const char *)data, size}))
        return 0;
    if (reader == NULL)
        reader = mem_check(redisReaderCreate());
    redisReaderFeed(reader, (const char *)data, size);
    if (redisReaderGetReply(reader, &reply) != REDIS_OK || reply == NULL || reader->len > 0) {
        redisReaderFree(reader); /* it keeps what it did not use */
        reader = NULL;
    }
    if (reply != NULL)
        read_reply(reply);
    freeReplyObject(reply);
    return 0;
}
