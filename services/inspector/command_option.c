#include "command_option.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "record/reason.h"

#include "history/duration.h"

const struct command_option command_options[] = {
    {COMMAND_OPTION_STORE, "--store", "STORE", COMMAND_VALUE_TEXT,
     "only orders of that store: its Store Code or its hash"},
    {COMMAND_OPTION_REASON, "--reason", "REASON", COMMAND_VALUE_REASON,
     "only orders with that reason"},
    {COMMAND_OPTION_SINCE, "--since", "TIME", COMMAND_VALUE_SINCE,
     "only orders that are in that state since then or later: 2h, 2026-01-31, 2026-01-31T10:00Z"},
    {COMMAND_OPTION_OLDER, "--older", "DURATION", COMMAND_VALUE_DURATION,
     "only what is older than that: 30s, 5m, 2h, 3d"},
    {COMMAND_OPTION_LIMIT, "--limit", "N", COMMAND_VALUE_COUNT,
     "list so many orders at most; they are counted all the same"},
    {COMMAND_OPTION_LAST, "--last", "N", COMMAND_VALUE_COUNT,
     "that many of the newest orders; 1000 where it is not given"},
    {COMMAND_OPTION_FROM, "--from", "DATE", COMMAND_VALUE_DATE,
     "orders that were placed then or later: 2023-01-01, 2023-01-01T10:00Z"},
    {COMMAND_OPTION_TO, "--to", "DATE", COMMAND_VALUE_DATE,
     "orders that were placed before; else all up to start_from of the store"},
    {COMMAND_OPTION_GOALS, "--goals", NULL, COMMAND_VALUE_NONE,
     "achieve the goals of the orders too"},
    {COMMAND_OPTION_TAGS, "--tags", NULL, COMMAND_VALUE_NONE, "apply the tags of the orders too"},
    {COMMAND_OPTION_AGAINST, "--against", "FILE", COMMAND_VALUE_FILE,
     "another configuration: say what would change with it"},
    {COMMAND_OPTION_EMAIL, "--email", "ADDRESS", COMMAND_VALUE_TEXT,
     "the address of a customer; - reads the address from standard input"},
    {COMMAND_OPTION_INFUSIONSOFT, "--infusionsoft", "ID", COMMAND_VALUE_TEXT,
     "the order with that id in Infusionsoft"},
    {COMMAND_OPTION_ACCOUNT, "--account", "NAME", COMMAND_VALUE_TEXT,
     "only in the account [infusionsoft NAME]"},
    {COMMAND_OPTION_RETRYING, "--retrying", NULL, COMMAND_VALUE_NONE,
     "orders of the retry topics, in place of dead ones"},
    {COMMAND_OPTION_WAITING, "--waiting", NULL, COMMAND_VALUE_NONE,
     "orders that wait for their account, in place of dead ones"},
    {COMMAND_OPTION_EDIT, "--edit", NULL, COMMAND_VALUE_NONE,
     "open the value of the order in $VISUAL or $EDITOR first"},
    {COMMAND_OPTION_DRY_RUN, "--dry-run", NULL, COMMAND_VALUE_NONE,
     "say what would be done, and do nothing"},
    {COMMAND_OPTION_WHY, "--why", "TEXT", COMMAND_VALUE_TEXT,
     "the reason, for the audit; it is kept for ever, so name no customer in it"},
    {COMMAND_OPTION_SCAN, "--scan", NULL, COMMAND_VALUE_NONE, "read the topics and ask no console"},
    {COMMAND_OPTION_SHOW_PERSONAL, "--show-personal", NULL, COMMAND_VALUE_NONE,
     "show names, addresses and all other texts that may be about a person"},
    {COMMAND_OPTION_PRINCIPAL, "--principal", "NAME", COMMAND_VALUE_TEXT,
     "the logins of the programs, with {program} in it; else User:bigfusion-{program}"},
    {COMMAND_OPTION_MAN, "--man", NULL, COMMAND_VALUE_NONE,
     "the man page, as roff for man(1), of all commands"},
    {COMMAND_OPTION_JSON, "--json", NULL, COMMAND_VALUE_NONE,
     "one JSON document on standard output, for programs"},
    {0, "--config", "FILE", COMMAND_VALUE_FILE,
     "settings; else $BIGFUSION_CONFIG, else /etc/bigfusion/bigfusion.conf"},
    {0, "--check", NULL, COMMAND_VALUE_NONE, "print the settings, secrets masked, and end"},
    {0, "--version", NULL, COMMAND_VALUE_NONE, "versions of this program and its libraries"},
    {0, "--help", NULL, COMMAND_VALUE_NONE, "what a command does, its arguments and options"},
};

const int command_option_count = sizeof(command_options) / sizeof(*command_options);

const struct command_option *command_option_find(const char *word)
{
    size_t length = strcspn(word, "=");

    for (int i = 0; i < command_option_count; i++)
        if (strlen(command_options[i].name) == length &&
            memcmp(command_options[i].name, word, length) == 0)
            return &command_options[i];
    return NULL;
}

static int refuse(const struct command_option *option, const char *value, const char *allowed,
                  struct error *err)
{
    return error_set(err, ERROR_PERMANENT, "%s %.40s: %s", option->name, value, allowed);
}

/* The list of reasons is too long for an error. */
static int check_reason(const struct command_option *option, const char *value, struct error *err)
{
    if (reason_of(value, strlen(value)) != REASON_NONE)
        return 0;
    return refuse(option, value, "no such reason; docs/operations.md lists them", err);
}

int command_option_check(const struct command_option *option, const char *value, struct error *err)
{
    int64_t number;

    if (option->value != COMMAND_VALUE_NONE && value[0] == '\0')
        return error_set(err, ERROR_PERMANENT, "%s needs a value: %s", option->name, option->word);
    switch (option->value) {
    case COMMAND_VALUE_DURATION:
        if (duration_parse(value) < 0)
            return refuse(option, value, "a duration is a number with a unit: 30s, 5m, 2h, 3d",
                          err);
        return 0;
    case COMMAND_VALUE_SINCE:
        if (since_parse(value, 0) < 0)
            return refuse(option, value,
                          "allowed: a duration (30s, 5m, 2h, 3d), a date (2026-01-31) or a time in "
                          "UTC (2026-01-31T10:00:00Z)",
                          err);
        return 0;
    case COMMAND_VALUE_DATE:
        if (duration_parse(value) >= 0 || since_parse(value, 0) < 0)
            return refuse(option, value,
                          "allowed: a date (2026-01-31) or a time in UTC (2026-01-31T10:00:00Z)",
                          err);
        return 0;
    case COMMAND_VALUE_COUNT:
        if (text_to_int(text_of(value), &number) != 0 || number <= 0)
            return refuse(option, value, "allowed: a whole number above 0", err);
        return 0;
    case COMMAND_VALUE_REASON:
        return check_reason(option, value, err);
    case COMMAND_VALUE_NONE:
    case COMMAND_VALUE_TEXT:
    case COMMAND_VALUE_FILE:
        break;
    }
    return 0;
}

void command_options_print(unsigned set, const char *separator, struct buffer *target)
{
    int written = 0;

    for (int i = 0; i < command_option_count; i++)
        if (set & command_options[i].bit)
            buffer_printf(target, "%s%s%s%s", written++ > 0 ? separator : "",
                          command_options[i].name, command_options[i].word != NULL ? " " : "",
                          command_options[i].word != NULL ? command_options[i].word : "");
}

void command_option_words(const struct command_option *option, struct buffer *target)
{
    if (option->value != COMMAND_VALUE_REASON)
        return;
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        buffer_printf(target, "%s%s", i > REASON_NONE + 1 ? " " : "", reason_name((enum reason)i));
}
