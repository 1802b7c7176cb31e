/* command_help.c - `bigfusion help`, `--help`. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { COLUMNS = 100, INDENT = 26 };

/* Appends running text with line ends where a line is full. first: the columns that are used in the
 * first line; others begin with indent blanks. */
static void wrap(struct buffer *target, const char *text, int first, int indent)
{
    int column = first;

    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");

        if (column > indent && column + 1 + length > COLUMNS) {
            buffer_printf(target, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            buffer_printf(target, " ");
            column++;
        }
        buffer_append(target, text, (size_t)length);
        column += length;
        text += length;
        if (*text == '\n') {
            buffer_printf(target, "\n%s", text[1] == '\n' ? "\n" : "");
            text += strspn(text, "\n");
            column = 0;
        }
        text += strspn(text, " ");
    }
    buffer_printf(target, "\n");
}

/* A line "  NAME   text" with the text in a column of its own. */
static void print_entry(struct buffer *target, const char *name, const char *text)
{
    buffer_printf(target, "  %-*s", INDENT - 2, name);
    if ((int)strlen(name) > INDENT - 3)
        buffer_printf(target, "\n%*s", INDENT, "");
    wrap(target, text, INDENT, INDENT);
}

static void print_options(struct buffer *target, unsigned set, int is_common)
{
    for (int i = 0; i < command_option_count; i++) {
        const struct command_option *option = &command_options[i];
        struct buffer name = {0};

        if (option->bit == 0 ? !is_common : !(set & option->bit))
            continue;
        buffer_printf(&name, "%s%s%s", option->name, option->word != NULL ? " " : "",
                      option->word != NULL ? option->word : "");
        print_entry(target, name.data, option->help);
        buffer_clear(&name);
    }
}

static void print_examples(struct buffer *target, const char *examples)
{
    buffer_printf(target, "\nExamples\n");
    while (*examples != '\0') {
        int length = (int)strcspn(examples, "\n");

        buffer_printf(target, "  %.*s\n", length, examples);
        examples += length + (examples[length] != '\0');
    }
}

static void print_command(struct buffer *target, const struct command *command)
{
    buffer_printf(target, "usage: bigfusion ");
    command_usage(command, target);
    buffer_printf(target, "%s\n\n%s\n\n", command->run != NULL ? " [--config FILE]" : "",
                  command->summary);
    wrap(target, command->help, 0, 0);
    if (command->options != 0) {
        buffer_printf(target, "\nOptions\n");
        print_options(target, command->options, 0);
    }
    if (command->examples != NULL)
        print_examples(target, command->examples);
    if (command->exits != NULL) {
        buffer_printf(target, "\nExit status:");
        wrap(target, command->exits, (int)strlen("Exit status:"), 0);
    }
}

static void print_list(struct buffer *target)
{
    buffer_printf(target, "usage: bigfusion COMMAND [ARGUMENTS] [--config FILE]\n\nCommands\n");
    for (int i = 0; i < command_count; i++) {
        struct buffer name = {0};

        buffer_printf(&name, "%s%s%s", commands[i].words,
                      commands[i].arguments[0] != '\0' ? " " : "", commands[i].arguments);
        print_entry(target, name.data, commands[i].summary);
        buffer_clear(&name);
    }
    buffer_printf(target, "\nOptions\n");
    print_options(target, 0, 1);
    buffer_printf(target,
                  "\nExit status: 0 done; 100 a person must fix something; 111 not now, try "
                  "again. Some commands have more:\n`bigfusion help COMMAND` lists them.\n");
}

int command_help(char **words, int count)
{
    const struct command *command = count > 0 ? command_find(words, count, NULL) : NULL;
    struct buffer text = {0};

    if (count > 0 && command == NULL)
        return -1;
    if (command != NULL)
        print_command(&text, command);
    else
        print_list(&text);
    fputs(text.data, stdout);
    buffer_clear(&text);
    return 0;
}
