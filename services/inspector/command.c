#include "command.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* The doctor looks at the secrets of all programs. */
enum {
    DOCTOR_PROGRAMS = PROGRAM_POLLER | PROGRAM_FILTER | PROGRAM_MAPPER | PROGRAM_PUSHER |
                      PROGRAM_INSPECTOR | PROGRAM_DOCTOR,
};

static const struct command commands[] = {
    {"up-front", "", "everything that must be there before the services start",
     "Waits until Kafka and Redis answer, then does `topics create` and `setup`. Where one of them "
     "cannot be done now, it\n"
     "says why and tries again. It ends as soon as all is done, or with 100 when a person must fix "
     "something. Doing\n"
     "it again changes nothing. To be run once before the services start, for example by "
     "docker-compose.yml.\n",
     0, 0, 0, up_front_run, 0, NULL},
    {"doctor", "[--json]", "look for what is wrong with the configuration and everything around it",
     "Checks settings, secret files, Kafka and its topics, Redis and the ledger in it, each "
     "store's "
     "token and each\n"
     "account, and the clocks of all of them. It prints one line for each check: ok, warn, fail or "
     "skip, what was\n"
     "found, and what to do. It changes nothing anywhere. The exit status says the worst: 0 where "
     "nothing failed,\n"
     "100 where a person must fix something, 111 where something could not be reached. "
     "docs/doctor.md explains\n"
     "each check.\n\n"
     "    bigfusion doctor\n"
     "    bigfusion doctor --json | jq -r '.findings[] | select(.level == \"fail\") | .check'\n",
     0, 0, COMMAND_OPTION_JSON, doctor_run, DOCTOR_PROGRAMS, doctor_run_refused},
    {"setup", "", "prepare each Infusionsoft account",
     "Creates the TEXT order custom field `BigCommerce Order`, which holds each order's key, in "
     "every configured\n"
     "account that has none yet. Doing it again changes nothing. Where no account had the field, "
     "nothing was ever\n"
     "delivered, and the delivery ledger is started as a new one. Needs the account's e-commerce "
     "module.\n",
     0, 0, 0, setup_run, 0, NULL},
    {"topics create", "", "create the topics that are missing",
     "Creates every topic with the partitions and replication of [kafka], its retention or "
     "compaction and its\n"
     "largest record. Topics that exist are left as they are. Doing it again changes nothing.\n",
     0, 0, 0, topics_create_run, 0, NULL},
    {"ledger distrust", "", "tell that Redis was restored from a backup",
     "What the delivery ledger holds is then looked up at Infusionsoft before anything is made. To "
     "be run after an\n"
     "older copy of Redis' data was put in place, before the pushers go on.\n",
     0, 0, 0, ledger_distrust_run, 0, NULL},
    {"status", "[--json]", "what each service has before it, and what became of the orders",
     "Of filter, mapper and pusher: how many processes read (members of the consumer group), how "
     "many records are not\n"
     "finished (LAG), how old the oldest of them is, how many come (IN/S) and are finished "
     "(DONE/S) in a second. Of the\n"
     "orders: how many are delivered, skipped and dead; each order counts once. Of each store: how "
     "far it was read.\n"
     "Of each account: what waits for it. Reads all of the topics `delivered`, `skipped` and "
     "`dead`. Changes nothing.\n"
     "\n"
     "Rates are measured while it reads, for three seconds at least. A service commits twice a "
     "second, so LAG may be\n"
     "half a second behind. A position is saved when orders move it, else every ten minutes.\n"
     "\n"
     "  bigfusion status\n"
     "  bigfusion status --json | jq '.services[] | {service, members, lag_s}'\n",
     0, 0, COMMAND_OPTION_JSON, status_run, 0, NULL},
    {"stuck", "[--older DURATION] [--json]", "orders that have no fate yet, and where they wait",
     "Lists every order that entered the pipeline and is neither delivered nor skipped nor dead: "
     "the stage in which\n"
     "its newest version waits, why, and for how long. Reads the records from each consumer "
     "group's committed offset\n"
     "on, the fates that were written since the oldest of these versions, and the delivery ledger. "
     "The last line says\n"
     "how much was read. Changes nothing. An order that a store has and no poll has seen yet is "
     "not listed.\n"
     "\n"
     "Reasons: queued, retrying, account_closed, ecommerce_unavailable, in_doubt.\n"
     "\n"
     "  bigfusion stuck                 all of them, those that have waited longest first\n"
     "  bigfusion stuck --older 15m     those that a merchant may ask about\n"
     "  bigfusion stuck --json          for programs\n",
     0, 0, COMMAND_OPTION_OLDER | COMMAND_OPTION_JSON, stuck_run, 0, NULL},
    {"trace", "ORDER [--json]", "every record of one order, in the order of their times",
     "Shows each record of the order in the topics of the pipeline: when it was written, stage, "
     "topic, partition and\n"
     "offset, and what it says: reason, attempt, next try, the vendor's answer, ids in the "
     "account. Nothing of the\n"
     "customer is shown. Topics whose records are placed by key are read in one partition, the "
     "others whole. No\n"
     "record at all is an answer too: exit status 0. Changes nothing.\n"
     "\n"
     "ORDER is CODE/NUMBER, 'CODE #NUMBER' or HASH/order/NUMBER; with one store, NUMBER is "
     "enough.\n"
     "\n"
     "  bigfusion trace BC/1042\n"
     "  bigfusion trace 'BC #1042'\n"
     "  bigfusion trace abc123/order/1042 --json\n",
     1, 2, COMMAND_OPTION_JSON, trace_run, 0, NULL},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(*commands) };

/* Compares the command's words with the first of these. @returns how many of them are the command's
 * own; 0: they name another one */
static int match(const struct command *command, char **words, int count)
{
    const char *at = command->words;

    for (int i = 0; i < count; i++) {
        size_t length = strlen(words[i]);

        if (strncmp(at, words[i], length) != 0 || length == 0)
            return 0;
        at += length;
        if (*at == '\0')
            return i + 1;
        if (*at++ != ' ')
            return 0;
    }
    return 0;
}

const struct command *command_find(char **words, int count, int *used)
{
    const struct command *found = NULL;
    int most = 0;

    for (int i = 0; i < COMMAND_COUNT; i++) {
        int matched = match(&commands[i], words, count);

        if (matched > most) {
            most = matched;
            found = &commands[i];
        }
    }
    if (used != NULL)
        *used = most;
    return found;
}

static int refuse(const struct command *command, const char *what, struct error *err)
{
    return error_set(err, ERROR_PERMANENT, "%s; usage: bigfusion %s%s%s", what, command->words,
                     command->usage[0] != '\0' ? " " : "", command->usage);
}

int command_check(const struct command *command, int used, struct command_line *line,
                  struct error *err)
{
    unsigned unknown = line->options & ~command->options;
    struct buffer what = {0};

    line->words += used;
    line->word_count -= used;
    if (unknown != 0) {
        command_options_print(unknown, &what);
        buffer_printf(&what, " is no option of %s", command->words);
    } else if (line->word_count > command->arguments_max) {
        buffer_printf(&what, "%.60s is too much", line->words[command->arguments_max]);
    } else if (line->word_count < command->arguments_min) {
        buffer_printf(&what, "something is missing");
    }
    if (what.length > 0)
        refuse(command, what.data, err);
    buffer_clear(&what);
    return err->kind == ERROR_NONE ? 0 : -1;
}

static void print_usage(const struct command *command)
{
    printf("usage: bigfusion %s%s%s [--config FILE]\n\n%s\n\n%s", command->words,
           command->usage[0] != '\0' ? " " : "", command->usage, command->summary, command->help);
    if (command->options != 0)
        printf("\nOptions\n");
    if (command->options & COMMAND_OPTION_OLDER)
        printf("  --older DURATION   only what is older than that: 30s, 5m, 2h, 3d\n");
    if (command->options & COMMAND_OPTION_JSON)
        printf("  --json             one JSON document on standard output, for programs\n");
}

int command_help(char **words, int count)
{
    if (count > 0) {
        const struct command *command = command_find(words, count, NULL);

        if (command == NULL)
            return -1;
        print_usage(command);
        return 0;
    }
    printf("usage: bigfusion COMMAND [ARGUMENTS] [--config FILE]\n\nCommands\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  %-18s %s\n", commands[i].words, commands[i].summary);
    printf("  %-18s %s\n\n", "help COMMAND", "what a command does, its arguments and options");
    printf("Options\n  --config FILE      settings; else $BIGFUSION_CONFIG, else "
           "/etc/bigfusion/bigfusion.conf\n"
           "  --check            print the settings, secrets masked, and end\n"
           "  --version          versions of this program and its libraries\n"
           "  --help             this text\n\n"
           "Exit status: 0 done; 100 a person must fix something; 111 not now, try again\n");
    return 0;
}
