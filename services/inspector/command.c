#include "command.h"

#include <string.h>

#include "base/mem.h"

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

    for (int i = 0; i < command_count; i++) {
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

void command_usage(const struct command *command, struct buffer *target)
{
    buffer_printf(target, "%s%s%s", command->words, command->arguments[0] != '\0' ? " " : "",
                  command->arguments);
    if (command->options != 0) {
        buffer_printf(target, " [");
        command_options_print(command->options, "] [", target);
        buffer_printf(target, "]");
    }
}

static void refuse(const struct command *command, const char *what, struct error *err)
{
    struct buffer usage = {0};

    command_usage(command, &usage);
    error_set(err, ERROR_PERMANENT, "%s; usage: bigfusion %s", what, usage.data);
    buffer_clear(&usage);
}

int command_check(const struct command *command, int used, struct command_line *line,
                  struct error *err)
{
    unsigned unknown = line->options & ~command->options;
    struct buffer what = {0};

    line->words += used;
    line->word_count -= used;
    if (unknown != 0) {
        command_options_print(unknown, ", ", &what);
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
