/* A record as the rebuild of the ledger reads it: of delivered, dead or skipped, or a payload. */
#include "fuzz.h"

#include <string.h>

#include "../../services/pusher/fate_read.h"

const struct fuzz_target fuzz_target = {"fate", 1};

static struct topics topics = {.delivered = (char *)(uintptr_t) "p.delivered",
                               .dead = (char *)(uintptr_t) "p.dead",
                               .skipped = (char *)(uintptr_t) "p.skipped"};

static void read_one(struct event *event, const char *topic)
{
    struct fate fate;

    event->topic = topic;
    if (fate_read(&topics, event, &fate) != 0) {
        fuzz_check(fate.steps == NULL);
        return;
    }
    fuzz_check(fate.modified_at >= 0);
    fuzz_check(strlen(fate.digest) < sizeof(fate.digest));
    for (int i = 0; i < fate.step_count; i++)
        fuzz_check(fate.steps[i].name != NULL && fate.steps[i].result != NULL);
    fate_clear(&fate);
}

static void read_open(const struct event *event)
{
    struct fate fate;

    if (fate_read_open(event, &fate) != 0)
        return;
    fuzz_check(fate.modified_at >= 0);
    fuzz_check(fate.account[0] != '\0' && strlen(fate.account) < sizeof(fate.account));
    fuzz_check(fate.steps == NULL);
    fate_clear(&fate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event = {.key = text_of("abc123/order/149"), .value = {(const char *)data, size}};

    event.headers[HEADER_STAGE] = text_of("pusher");
    event.headers[HEADER_KIND] = text_of("withdrawn");
    event.headers[HEADER_LEDGER] = event.value;
    read_one(&event, topics.delivered);
    read_one(&event, topics.skipped);
    read_open(&event);
    event.headers[HEADER_MODIFIED_AT] = text_of("1552317445000");
    event.headers[HEADER_REASON] = event.value;
    read_one(&event, topics.dead);
    return 0;
}
