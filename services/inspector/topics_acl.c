/* topics_acl.c - `bigfusion topics acl`. */
#include "topics_acl.h"

#include <stdio.h>
#include <string.h>

#include "record/topic.h"

#include "command.h"

/* Sets of topics. */
enum {
    RAW = 1 << 0,
    ELIGIBLE = 1 << 1,
    PAYLOADS = 1 << 2,
    RETRY = 1 << 3,
    WAITING = 1 << 4,
    SKIPPED = 1 << 5,
    DELIVERED = 1 << 6,
    DEAD = 1 << 7,
    CURSORS = 1 << 8,
    PAUSED = 1 << 9,
    AUDIT = 1 << 10,
    ALL = (1 << 11) - 1,
    ACTS =
        RAW | ELIGIBLE | PAYLOADS | SKIPPED | DEAD | PAUSED | AUDIT, /* retry, drop, pause, ... */
};

/* Groups. The last three are no consumer groups that anybody joins: librdkafka wants a group's name
 * for every reader, and asks the broker for that group's coordinator. */
enum {
    FILTER = 1 << 0,
    MAPPER = 1 << 1,
    PUSHER = 1 << 2,
    READER = 1 << 3,
    LOOK = 1 << 4,
    CONSOLE = 1 << 5,
    SERVICES = FILTER | MAPPER | PUSHER,
};

/* What one program needs. Read and Write include Describe in Kafka. */
struct need {
    const char *program;
    unsigned reads, writes;     /* topics */
    unsigned acts;              /* topics that are written where [console] token_file is set */
    unsigned creates, settings; /* topics: Create, DescribeConfigs; who creates one describes it */
    unsigned joins, looks;      /* groups: Read, which a member needs; Describe */
    int produces;               /* IdempotentWrite, which brokers before 3.0 ask for */
    int is_doctor;              /* Describe and DescribeConfigs on the cluster */
};

static const struct need needs[] = {
    {.program = "poller",
     .reads = CURSORS | PAUSED,
     .writes = RAW | SKIPPED | DEAD | CURSORS,
     .looks = READER | LOOK,
     .produces = 1},
    {.program = "filter",
     .reads = RAW,
     .writes = ELIGIBLE | SKIPPED | DEAD,
     .joins = FILTER,
     .looks = READER | LOOK,
     .produces = 1},
    {.program = "mapper",
     .reads = ELIGIBLE,
     .writes = PAYLOADS | DEAD,
     .joins = MAPPER,
     .looks = READER | LOOK,
     .produces = 1},
    {.program = "pusher",
     .reads = PAYLOADS | RETRY | WAITING | SKIPPED | DELIVERED | DEAD | PAUSED,
     .writes = RETRY | WAITING | SKIPPED | DELIVERED | DEAD,
     .joins = PUSHER,
     .looks = READER | LOOK,
     .produces = 1},
    {.program = "console", /* it acts only where it has a token */
     .reads = ALL,
     .acts = ACTS,
     .looks = SERVICES | READER | LOOK | CONSOLE},
    {.program = "operator", /* `bigfusion`: each command but `topics create`, `up-front` and this */
     .reads = ALL,
     .writes = ACTS | CURSORS, /* backfill */
     .settings = ALL,
     .looks = SERVICES | READER | LOOK,
     .produces = 1,
     .is_doctor = 1},
    {.program = "setup", /* `bigfusion topics create`, `bigfusion up-front` */
     .creates = ALL,
     .settings = ALL,
     .looks = SERVICES | READER},
};

static int check_principal(const char *principal, struct error *err)
{
    const char *colon = strchr(principal, ':');

    if (colon == NULL || colon == principal || colon[1] == '\0')
        return error_set(err, ERROR_PERMANENT, "--principal %.60s: TYPE:NAME, such as %s",
                         principal, ACL_PRINCIPAL);
    for (const char *at = principal; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == '\'' || *at == 0x7f)
            return error_set(err, ERROR_PERMANENT,
                             "--principal: it has a quotation mark or a control character");
    return 0;
}

static void add_principal(struct buffer *target, const char *principal, const char *program)
{
    static const char word[] = "{program}";
    const char *at;

    while ((at = strstr(principal, word)) != NULL) {
        buffer_append(target, principal, (size_t)(at - principal));
        buffer_append(target, program, strlen(program));
        principal = at + strlen(word);
    }
    buffer_append(target, principal, strlen(principal));
}

static void add_topic(struct buffer *target, const char *name)
{
    buffer_printf(target, " --topic %s", name);
}

static void add_topics(struct buffer *target, const struct topics *topics, unsigned set)
{
    const struct {
        unsigned bit;
        const char *name;
    } single[] = {{SKIPPED, topics->skipped}, {DELIVERED, topics->delivered},
                  {DEAD, topics->dead},       {CURSORS, topics->cursors},
                  {PAUSED, topics->paused},   {AUDIT, topics->audit}};

    for (int i = 0; i < TOPIC_LANE_COUNT; i++) {
        if (set & RAW)
            add_topic(target, topics->lanes[i].raw);
        if (set & ELIGIBLE)
            add_topic(target, topics->lanes[i].eligible);
        if (set & PAYLOADS)
            add_topic(target, topics->lanes[i].payloads);
    }
    for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++)
        if (set & single[i].bit)
            add_topic(target, single[i].name);
    for (int i = 0; set & RETRY && i < TOPIC_RETRY_COUNT; i++)
        add_topic(target, topics->retry[i]);
    for (int i = 0; set & WAITING && i < topics->account_count; i++) {
        add_topic(target, topics->waiting[i]);
        add_topic(target, topics->waiting_orders[i]);
    }
}

static void add_groups(struct buffer *target, const char *prefix, unsigned set)
{
    static const char *const services[] = {"filter", "mapper", "pusher"};
    static const char *const readers[] = {"bigfusion-reader", "bigfusion-look",
                                          "bigfusion-console"};

    for (unsigned i = 0; i < 3; i++)
        if (set & (unsigned)FILTER << i)
            buffer_printf(target, " --group %s.%s", prefix, services[i]);
    for (unsigned i = 0; i < 3; i++)
        if (set & (unsigned)READER << i)
            buffer_printf(target, " --group %s", readers[i]);
}

/* The state of one script. */
struct script {
    const struct topics *topics;
    const char *prefix, *principal, *program;
    struct buffer *target;
};

static void add_line(const struct script *script, const char *operations, unsigned topics,
                     unsigned groups, int cluster)
{
    struct buffer *target = script->target;

    if (topics == 0 && groups == 0 && !cluster)
        return;
    buffer_printf(target, "kafka-acls.sh \"$@\" --add --allow-principal '");
    add_principal(target, script->principal, script->program);
    buffer_printf(target, "' %s", operations);
    add_topics(target, script->topics, topics);
    add_groups(target, script->prefix, groups);
    buffer_printf(target, "%s\n", cluster ? " --cluster" : "");
}

int topics_acl_write(const struct config *config, const char *principal, struct buffer *target,
                     struct error *err)
{
    struct topics topics;
    struct script script = {.topics = &topics,
                            .prefix = config->kafka.topic_prefix,
                            .principal = principal,
                            .target = target};

    if (check_principal(principal, err) != 0)
        return -1;
    topics_init(&topics, config);
    buffer_printf(target, "#!/bin/sh\n"
                          "# Run it with the arguments that kafka-acls.sh needs to reach Kafka:\n"
                          "# --bootstrap-server HOST:PORT --command-config FILE\n"
                          "set -eu\n");
    for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
        const struct need *need = &needs[i];
        unsigned acts = config->console.token_file[0] != '\0' ? need->acts : 0;

        script.program = need->program;
        buffer_printf(target, "\n# %s\n", need->program);
        add_line(&script, "--operation Read", need->reads, need->joins, 0);
        add_line(&script, "--operation Write", need->writes | acts, 0, 0);
        add_line(&script, "--operation Create", need->creates, 0, 0);
        add_line(&script, "--operation DescribeConfigs", need->settings, 0, need->is_doctor);
        add_line(&script, "--operation Describe", need->creates, need->looks, need->is_doctor);
        add_line(&script, "--operation IdempotentWrite", 0, 0, need->produces || acts != 0);
    }
    topics_clear(&topics);
    return 0;
}

int topics_acl_run(const struct config *config, const struct command_line *line, struct error *err)
{
    const char *principal = command_line_value(line, COMMAND_OPTION_PRINCIPAL);
    struct buffer script = {0};
    int rc = topics_acl_write(config, principal != NULL ? principal : ACL_PRINCIPAL, &script, err);

    if (rc == 0)
        fwrite(script.data, 1, script.length, stdout);
    buffer_clear(&script);
    return rc;
}
