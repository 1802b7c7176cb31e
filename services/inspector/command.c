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
