#include "command.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"setup", "prepare each Infusionsoft account",
     "Creates the TEXT order custom field `BigCommerce Order`, which holds each order's key, in "
     "every configured\n"
     "account that has none yet. Doing it again changes nothing. Where no account had the field, "
     "nothing was ever\n"
     "delivered, and the delivery ledger is started as a new one. Needs the account's e-commerce "
     "module.\n",
     setup_run},
    {"topics create", "create the topics that are missing",
     "Creates every topic with the partitions and replication of [kafka], its retention or "
     "compaction and its\n"
     "largest record. Topics that exist are left as they are. Doing it again changes nothing.\n",
     topics_create_run},
    {"ledger distrust", "tell that Redis was restored from a backup",
     "What the delivery ledger holds is then looked up at Infusionsoft before anything is made. To "
     "be run after an\n"
     "older copy of Redis' data was put in place, before the pushers go on.\n",
     ledger_distrust_run},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(*commands), WORDS_MAX_BYTES = 80 };

static void join(char target[WORDS_MAX_BYTES], char **words, int count)
{
    size_t length = 0;

    target[0] = '\0';
    for (int i = 0; i < count && length < WORDS_MAX_BYTES; i++)
        length += (size_t)snprintf(target + length, WORDS_MAX_BYTES - length, "%s%s",
                                   i > 0 ? " " : "", words[i]);
}

const struct command *command_find(char **words, int count)
{
    char name[WORDS_MAX_BYTES];

    join(name, words, count);
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].words, name) == 0)
            return &commands[i];
    return NULL;
}

int command_help(char **words, int count)
{
    const struct command *command;

    if (count > 0) {
        command = command_find(words, count);
        if (command == NULL)
            return -1;
        printf("usage: bigfusion %s [--config FILE]\n\n%s\n\n%s", command->words, command->summary,
               command->help);
        return 0;
    }
    printf("usage: bigfusion COMMAND [--config FILE]\n\nCommands\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  %-18s %s\n", commands[i].words, commands[i].summary);
    printf("  %-18s %s\n\n", "help COMMAND", "what a command does");
    printf("Options\n  --config FILE      settings; else $BIGFUSION_CONFIG, else "
           "/etc/bigfusion/bigfusion.conf\n"
           "  --check            print the settings, secrets masked, and end\n"
           "  --version          versions of this program and its libraries\n"
           "  --help             this text\n\n"
           "Exit status: 0 done; 100 a person must fix something; 111 not now, try again\n");
    return 0;
}
