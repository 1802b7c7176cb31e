#include "command_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "duration.h"

static const struct {
    const char *name;
    const char *value; /* what its value is called; NULL: it has none */
    unsigned bit;
} options[] = {
    {"--json", NULL, COMMAND_OPTION_JSON},
    {"--older", "DURATION", COMMAND_OPTION_OLDER},
};

enum { OPTION_COUNT = sizeof(options) / sizeof(*options) };

void command_options_print(unsigned set, struct buffer *target)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (set & options[i].bit)
            buffer_printf(target, "%s%s%s%s", target->length > 0 ? ", " : "", options[i].name,
                          options[i].value != NULL ? " " : "",
                          options[i].value != NULL ? options[i].value : "");
}

/* Whether word is that option, alone or with =VALUE. */
static int is_option(const char *word, const char *name)
{
    size_t length = strlen(name);

    return strncmp(word, name, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

static int set_option(struct command_line *line, int index, const char *value, struct error *err)
{
    line->options |= options[index].bit;
    if (options[index].bit == COMMAND_OPTION_JSON)
        line->json = 1;
    if (options[index].bit == COMMAND_OPTION_OLDER) {
        line->older_ms = duration_parse(value);
        if (line->older_ms < 0)
            return error_set(err, ERROR_PERMANENT,
                             "--older %.40s: a duration is a number with a unit: 30s, 5m, 2h, 3d",
                             value);
    }
    return 0;
}

/* @returns how many words of argv were read; -1 with an error */
static int read_option(struct command_line *line, char **argv, struct error *err)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const char *value = strchr(argv[0], '=');
        int used = 1;

        if (!is_option(argv[0], options[i].name))
            continue;
        if (options[i].value == NULL && value != NULL)
            return error_set(err, ERROR_PERMANENT, "%s takes no value", options[i].name);
        if (options[i].value != NULL && value == NULL) {
            value = argv[1];
            used = 2;
        } else if (value != NULL) {
            value++;
        }
        if (options[i].value != NULL && value == NULL)
            return error_set(err, ERROR_PERMANENT, "%s needs a value: %s", options[i].name,
                             options[i].value);
        return set_option(line, i, value, err) == 0 ? used : -1;
    }
    /* everything else is an option of all programs; config_load() refuses what it does not know */
    line->common[line->common_count++] = argv[0];
    if (strcmp(argv[0], "--config") != 0 || argv[1] == NULL)
        return 1;
    line->common[line->common_count++] = argv[1];
    return 2;
}

int command_line_read(struct command_line *line, int argc, char **argv, struct error *err)
{
    line->all_words = mem_alloc((size_t)argc * sizeof(char *));
    line->words = line->all_words;
    line->common = mem_alloc(((size_t)argc + 1) * sizeof(char *));
    line->common[line->common_count++] = argv[0];
    for (int i = 1; i < argc;) {
        int used = 1;

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            line->help = 1;
        else if (argv[i][0] != '-')
            line->words[line->word_count++] = argv[i];
        else
            used = read_option(line, argv + i, err);
        if (used < 0)
            return -1;
        i += used;
    }
    if (line->word_count > 0 && strcmp(line->words[0], "help") == 0) {
        line->help = 1;
        line->words++;
        line->word_count--;
    }
    return 0;
}

void command_line_clear(struct command_line *line)
{
    free(line->all_words);
    free(line->common);
    *line = (struct command_line){0};
}
