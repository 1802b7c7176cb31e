#include "command_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "history/duration.h"

/* Keeps an option of a command. value: NULL where it has none. */
static int set_option(struct command_line *line, const struct command_option *option,
                      const char *value, struct error *err)
{
    if (value != NULL && command_option_check(option, value, err) != 0)
        return -1;
    line->options |= option->bit;
    line->values[option - command_options] = value;
    if (option->bit == COMMAND_OPTION_JSON)
        line->json = 1;
    if (option->bit == COMMAND_OPTION_OLDER)
        line->older_ms = duration_parse(value);
    return 0;
}

/* An option of all programs, or one that there is not: config_load() refuses what it does not know.
 * @returns how many words of argv were read */
static int keep_common(struct command_line *line, const struct command_option *option, char **argv)
{
    line->common[line->common_count++] = argv[0];
    if (option == NULL || option->word == NULL || strchr(argv[0], '=') != NULL || argv[1] == NULL)
        return 1;
    line->common[line->common_count++] = argv[1];
    return 2;
}

/* @returns how many words of argv were read; -1 with an error */
static int read_option(struct command_line *line, char **argv, struct error *err)
{
    const struct command_option *option = command_option_find(argv[0]);
    const char *value = strchr(argv[0], '=');
    int used = 1;

    if (option == NULL || option->bit == 0)
        return keep_common(line, option, argv);
    if (option->word == NULL && value != NULL)
        return error_set(err, ERROR_PERMANENT, "%s takes no value", option->name);
    if (value != NULL) {
        value++;
    } else if (option->word != NULL) {
        value = argv[1];
        used = 2;
        if (value == NULL)
            return error_set(err, ERROR_PERMANENT, "%s needs a value: %s", option->name,
                             option->word);
    }
    return set_option(line, option, value, err) == 0 ? used : -1;
}

int command_line_read(struct command_line *line, int argc, char **argv, struct error *err)
{
    int is_option = 1;

    line->all_words = mem_alloc((size_t)argc * sizeof(char *));
    line->words = line->all_words;
    line->common = mem_alloc(((size_t)argc + 1) * sizeof(char *));
    line->common[line->common_count++] = argv[0];
    for (int i = 1; i < argc;) {
        int used = 1;

        if (is_option && strcmp(argv[i], "--") == 0)
            is_option = 0;
        else if (is_option && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
            line->help = 1;
        else if (!is_option || argv[i][0] != '-')
            line->words[line->word_count++] = argv[i];
        else
            used = read_option(line, argv + i, err);
        if (used < 0)
            return -1;
        i += used;
    }
    return 0;
}

void command_line_clear(struct command_line *line)
{
    free(line->all_words);
    free(line->common);
    *line = (struct command_line){0};
}

const char *command_line_value(const struct command_line *line, unsigned bit)
{
    for (int i = 0; i < command_option_count; i++)
        if (command_options[i].bit == bit)
            return line->values[i];
    return NULL;
}

int command_line_has(const struct command_line *line, unsigned bit)
{
    return (line->options & bit) != 0;
}
