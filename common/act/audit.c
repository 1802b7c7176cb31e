#include "act/audit.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "act/send.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"
#include "history/outside_text.h"
#include "net/kafka_group.h"
#include "record/topic.h"

enum { FORKS_MAX = 1000, SEEN_MS = 30000, AGAIN_MS = 50, ID_BYTES = 33, USER_BYTES = 4096 };

struct audit {
    const struct config *config;
    struct topics topics;
    struct send *send;
    char *who;
    struct audit_chain chain;
    int64_t next;      /* offset of the first record that was not read */
    audit_visit visit; /* of audit_read(), or NULL */
    void *context;
    const char *wanted;   /* id of the entry that is looked for, or NULL */
    int is_seen;          /* it was found */
    enum audit_link link; /* as what */
};

static int add(void *context, const struct event *event, struct error *err)
{
    struct audit *audit = context;
    json_t *json = NULL;
    enum audit_link link = audit_chain_add(&audit->chain, event, &json);
    const char *id = json_string_value(json_object_get(json, "id"));

    (void)err;
    audit->next = event->offset + 1;
    if (audit->wanted != NULL && id != NULL && strcmp(id, audit->wanted) == 0) {
        audit->is_seen = 1;
        audit->link = link;
    }
    if (audit->visit != NULL)
        audit->visit(audit->context, event, link, json);
    json_decref(json);
    return 0;
}

/* Reads what was appended since the last time. The topic has one partition, or, on brokers that
 * make them otherwise, entries only in the first. */
static int read_on(struct audit *audit, struct error *err)
{
    const char *topic = audit->topics.audit;
    struct kafka_place *places = NULL;
    struct kafka_span span = {.topic = topic};
    int count = 0;
    int rc = kafka_group_places(audit->config, NULL, &topic, 1, &places, &count, err);

    for (int i = 0; rc == 0 && i < count; i++) {
        if (places[i].partition != 0)
            continue;
        span.from = audit->next > places[i].low ? audit->next : places[i].low;
        span.to = places[i].end;
    }
    if (rc == 0 && span.to > span.from)
        rc = kafka_read_spans(audit->config, &span, 1, add, audit, err);
    kafka_places_free(places, count);
    return rc == 0 ? 0 : error_prefix(err, "audit: ");
}

int audit_read(const struct config *config, struct audit_chain *chain, audit_visit visit,
               void *context, struct error *err)
{
    struct audit audit = {.config = config, .visit = visit, .context = context};
    int rc;

    topics_init(&audit.topics, config);
    audit_chain_init(&audit.chain);
    rc = read_on(&audit, err);
    *chain = audit.chain;
    topics_clear(&audit.topics);
    return rc;
}

struct audit *audit_new(const struct config *config, const char *who, struct error *err)
{
    struct audit *audit = mem_alloc(sizeof(*audit));

    audit->config = config;
    audit->who = mem_strdup(who);
    topics_init(&audit->topics, config);
    audit_chain_init(&audit->chain);
    audit->send = send_new(config, "bigfusion-audit", err);
    if (audit->send != NULL && read_on(audit, err) == 0)
        return audit;
    audit_free(audit);
    return NULL;
}

void audit_free(struct audit *audit)
{
    if (audit == NULL)
        return;
    send_free(audit->send);
    audit_chain_clear(&audit->chain);
    topics_clear(&audit->topics);
    free(audit->who);
    free(audit);
}

const char *audit_actor(const struct audit *audit) { return audit->who; }

char *audit_who(void)
{
    char host[HOST_NAME_MAX + 1] = "";
    char memory[USER_BYTES];
    struct passwd found, *user = NULL;
    const char *before = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    char number[24];

    snprintf(number, sizeof(number), "uid %lu", (unsigned long)getuid());
    if (getpwuid_r(getuid(), &found, memory, sizeof(memory), &user) != 0)
        user = NULL;
    gethostname(host, sizeof(host) - 1);
    return mem_printf("%s%s%.40s@%s", user != NULL ? user->pw_name : number,
                      before != NULL ? ", by sudo of " : "", before != NULL ? before : "", host);
}

static void make_id(char id[ID_BYTES])
{
    unsigned char random[(ID_BYTES - 1) / 2] = {0};

    while (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        ; /* it fails only when a signal interrupts it */
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(id + 2 * i, 3, "%02x", random[i]);
}

/* Reads until the entry that was appended comes. */
static int read_until_seen(struct audit *audit, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + SEEN_MS;

    while (!audit->is_seen) {
        if (read_on(audit, err) != 0)
            return -1;
        if (!audit->is_seen && clock_monotonic_ms() > until_ms)
            return error_set(err, ERROR_TEMPORARY, "audit: the entry is not there yet");
        if (!audit->is_seen)
            usleep(AGAIN_MS * 1000);
    }
    return 0;
}

/* Appends the entry once. @returns 1: it is part of the chain; 0: another one took its place; -1
 * with an error */
static int append_once(struct audit *audit, json_t *entry, struct error *err)
{
    char id[ID_BYTES], at[OUTSIDE_TIME_BYTES];
    struct output output = {.topic = audit->topics.audit};
    char *text;
    int rc;

    make_id(id);
    json_object_set_new(entry, "id", json_string(id));
    json_object_set_new(entry, "at", json_string(outside_time_print(at, clock_now_ms())));
    text = audit_chain_write(&audit->chain, entry);
    output.value = text_of(text);
    audit->wanted = id;
    audit->is_seen = 0;
    rc = send_one(audit->send, &output, err);
    if (rc == 0)
        rc = read_until_seen(audit, err);
    audit->wanted = NULL;
    free(text);
    return rc != 0 ? -1 : audit->link == AUDIT_LINK_PART;
}

int audit_append(struct audit *audit, json_t *entry, int64_t *n, struct error *err)
{
    int answer = 0;

    json_object_set_new(entry, "who", json_string(audit->who));
    for (int tries = 0; answer == 0 && tries < FORKS_MAX; tries++) {
        if (tries > 0)
            usleep((useconds_t)(retry_chance() * AGAIN_MS * 1000));
        /* others may have appended since the chain was read */
        answer = read_on(audit, err) == 0 ? append_once(audit, entry, err) : -1;
    }
    *n = json_integer_value(json_object_get(entry, "n"));
    json_decref(entry);
    if (answer == 0)
        error_set(err, ERROR_TEMPORARY, "audit: others appended before us each time");
    return answer == 1 ? 0 : -1;
}
