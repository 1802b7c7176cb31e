/* command_man.c - the man page bigfusion(1), from the table of commands. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Appends a text for roff. A backquoted part becomes bold; what roff would obey, or print as another
 * character, is escaped. A line must not begin with a dot or a quote: callers put \& in front. */
static void roff(struct buffer *target, const char *text)
{
    int is_bold = 0;

    for (; *text != '\0'; text++) {
        switch (*text) {
        case '`':
            is_bold = !is_bold;
            buffer_printf(target, "%s", is_bold ? "\\fB" : "\\fR");
            break;
        case '\\':
            buffer_printf(target, "\\(rs");
            break;
        case '-':
            buffer_printf(target, "\\-");
            break;
        case '\'':
            buffer_printf(target, "\\(aq");
            break;
        case '~':
            buffer_printf(target, "\\(ti");
            break;
        case '^':
            buffer_printf(target, "\\(ha");
            break;
        case '"':
            buffer_printf(target, "\\(dq");
            break;
        default:
            buffer_append(target, text, 1);
        }
    }
}

/* Paragraphs: each sentence stays where it is; a line end in the text begins a new paragraph. */
static void paragraphs(struct buffer *target, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        char *one = mem_strndup(text, length);

        buffer_printf(target, ".PP\n\\&");
        roff(target, one);
        buffer_printf(target, "\n");
        free(one);
        text += length + strspn(text + length, "\n");
    }
}

static void verbatim(struct buffer *target, const char *lines)
{
    buffer_printf(target, ".PP\n.RS 4\n.nf\n");
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        char *one = mem_strndup(lines, length);

        buffer_printf(target, "\\&");
        roff(target, one);
        buffer_printf(target, "\n");
        free(one);
        lines += length + (lines[length] != '\0');
    }
    buffer_printf(target, ".fi\n.RE\n");
}

static void print_option(struct buffer *target, const struct command_option *option)
{
    buffer_printf(target, ".TP\n\\fB");
    roff(target, option->name);
    buffer_printf(target, "\\fR");
    if (option->word != NULL)
        buffer_printf(target, " \\fI%s\\fR", option->word);
    buffer_printf(target, "\n\\&");
    roff(target, option->help);
    buffer_printf(target, "\n");
}

/* The options of a set, or those of all programs. */
static void options_of(struct buffer *target, unsigned set, int is_common)
{
    for (int i = 0; i < command_option_count; i++)
        if (command_options[i].bit == 0 ? is_common : (set & command_options[i].bit) != 0)
            print_option(target, &command_options[i]);
}

static void one_command(struct buffer *target, const struct command *command)
{
    struct buffer usage = {0};

    command_usage(command, &usage);
    buffer_printf(target, ".SS \"bigfusion ");
    roff(target, usage.data);
    buffer_printf(target, "\"\n");
    buffer_clear(&usage);
    buffer_printf(target, "\\&");
    roff(target, command->summary);
    buffer_printf(target, "\n");
    paragraphs(target, command->help);
    options_of(target, command->options, 0);
    if (command->examples != NULL)
        verbatim(target, command->examples);
    if (command->exits != NULL) {
        buffer_printf(target, ".PP\nExit status: ");
        roff(target, command->exits);
        buffer_printf(target, "\n");
    }
}

void command_man(struct buffer *target)
{
    buffer_printf(target, ".TH BIGFUSION 1 \"\" \"bigfusion %s\" \"User Commands\"\n",
                  BIGFUSION_VERSION);
    buffer_printf(target, ".SH NAME\nbigfusion \\- brings BigCommerce orders into Infusionsoft: "
                          "command line for operators\n"
                          ".SH SYNOPSIS\n\\fBbigfusion\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR] "
                          "[\\fB\\-\\-config\\fR \\fIFILE\\fR]\n"
                          ".SH DESCRIPTION\nOptions may stand anywhere. The value of an option "
                          "follows it, or an equals sign.\nWhat stands behind \\fB\\-\\-\\fR is no "
                          "option.\n.SH COMMANDS\n");
    for (int i = 0; i < command_count; i++)
        one_command(target, &commands[i]);
    buffer_printf(target, ".SH OPTIONS\nThese are options of every command.\n");
    options_of(target, 0, 1);
    buffer_printf(
        target,
        ".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n100\nA person must fix something; also: there is no "
        "such command.\n.TP\n111\nNot now, try again.\n.PP\nSome commands have more; they are "
        "listed "
        "with the command.\n"
        ".SH ENVIRONMENT\n.TP\nBIGFUSION_CONFIG\nThe settings, where \\fB\\-\\-config\\fR is not "
        "given.\n.TP\nBIGFUSION_SECTION_NAME\nOverrides a setting, such as "
        "BIGFUSION_KAFKA_BROKERS.\n"
        ".SH FILES\n.TP\n/etc/bigfusion/bigfusion.conf\nThe settings, where neither is given.\n");
}
