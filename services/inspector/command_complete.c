/* command_complete.c - `bigfusion completion`: scripts that complete the command line in a shell.
 *
 * Both scripts do the same. They join the words before the cursor that are neither options nor values
 * of options. The table of commands then tells what may follow these words, and which options. */
#include "command.h"

#include <string.h>

#include "base/mem.h"

/* How a shell writes what differs. */
struct shell {
    int is_zsh;
    const char *begin;  /* up to the list of the options that have a value */
    const char *middle; /* up to what each such option can have as its value */
    const char *end;
};

static const struct shell bash = {
    .begin = "# bash completion for bigfusion, made by `bigfusion completion bash`.\n"
             "_bigfusion() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
             "    local given='' options='' choices='' i\n"
             "    # bash takes the = of --older=5m for a word of its own\n"
             "    if [ \"$cur\" = = ]; then cur=''; fi\n"
             "    if [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
             "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
             "        case ${COMP_WORDS[i]} in\n",
    .middle = ") if [ \"${COMP_WORDS[i+1]}\" = = ]; then i=$((i+2)); else i=$((i+1)); fi ;;\n"
              "        -*) ;;\n"
              "        *) given=\"${given:+$given }${COMP_WORDS[i]}\" ;;\n"
              "        esac\n"
              "    done\n"
              "    case $prev in\n",
    .end = "    case $cur in\n"
           "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
           "    *) COMPREPLY=($(compgen -W \"$choices\" -- \"$cur\")) ;;\n"
           "    esac\n"
           "}\n"
           "complete -F _bigfusion bigfusion\n",
};

static const struct shell zsh = {
    .is_zsh = 1,
    .begin = "#compdef bigfusion\n"
             "# zsh completion for bigfusion, made by `bigfusion completion zsh`.\n"
             "_bigfusion() {\n"
             "    local given='' prev=${words[CURRENT-1]} i\n"
             "    local -a options choices\n"
             "    for ((i = 2; i < CURRENT; i++)); do\n"
             "        case ${words[i]} in\n",
    .middle = ") i=$((i+1)) ;;\n"
              "        -*) ;;\n"
              "        *) given=\"${given:+$given }${words[i]}\" ;;\n"
              "        esac\n"
              "    done\n"
              "    case $prev in\n",
    .end = "    if [[ ${words[CURRENT]} == -* ]]; then\n"
           "        _describe -o option options\n"
           "    else\n"
           "        _describe word choices\n"
           "    fi\n"
           "}\n"
           "if [[ ${funcstack[1]} == _bigfusion ]]; then\n"
           "    _bigfusion \"$@\"\n"
           "else\n"
           "    compdef _bigfusion bigfusion\n"
           "fi\n",
};

/* Appends one word of a list: for bash the word, for zsh 'word:what it is'. */
static void print_word(const struct shell *shell, struct buffer *target, const char *word,
                       size_t length, const char *what)
{
    if (!shell->is_zsh) {
        buffer_printf(target, " %.*s", (int)length, word);
        return;
    }
    buffer_printf(target, " '%.*s:", (int)length, word);
    for (; *what != '\0'; what++)
        buffer_printf(target, "%s%c%s", *what == '\'' ? "'\\" : "", *what,
                      *what == '\'' ? "'" : "");
    buffer_printf(target, "'");
}

static void begin_list(const struct shell *shell, struct buffer *target, const char *name)
{
    buffer_printf(target, " %s=%s", name, shell->is_zsh ? "(" : "'");
}

static void end_list(const struct shell *shell, struct buffer *target)
{
    buffer_printf(target, "%s", shell->is_zsh ? " )" : "'");
}

/* The first words of the commands, each once. */
static void first_words(const struct shell *shell, struct buffer *target)
{
    begin_list(shell, target, "choices");
    for (int i = 0; i < command_count; i++) {
        size_t length = strcspn(commands[i].words, " ");

        if (i > 0 && strcspn(commands[i - 1].words, " ") == length &&
            memcmp(commands[i - 1].words, commands[i].words, length) == 0)
            continue; /* commands of one first word stand beside each other in the table */
        print_word(shell, target, commands[i].words, length, commands[i].summary);
    }
    end_list(shell, target);
}

/* The second words of the commands with the same first word as this one. */
static void second_words(const struct shell *shell, struct buffer *target, size_t length, int from)
{
    buffer_printf(target, "    %.*s)", (int)length, commands[from].words);
    begin_list(shell, target, "choices");
    for (int i = from; i < command_count; i++)
        if (strncmp(commands[i].words, commands[from].words, length + 1) == 0)
            print_word(shell, target, commands[i].words + length + 1,
                       strlen(commands[i].words) - length - 1, commands[i].summary);
    end_list(shell, target);
    buffer_printf(target, " ;;\n");
}

/* The options of a set, or those of all programs. name: the variable to set, or to add to. */
static void options_of(const struct shell *shell, struct buffer *target, const char *name,
                       unsigned set, int is_common)
{
    begin_list(shell, target, name);
    for (int i = 0; i < command_option_count; i++)
        if (command_options[i].bit == 0 ? is_common : (set & command_options[i].bit) != 0)
            print_word(shell, target, command_options[i].name, strlen(command_options[i].name),
                       command_options[i].help);
    end_list(shell, target);
}

static void first_argument(const struct shell *shell, struct buffer *target, const char *choices)
{
    begin_list(shell, target, "choices");
    for (const char *at = choices; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        print_word(shell, target, at, length, "");
        at += length;
    }
    end_list(shell, target);
}

/* Which words may follow those that were given. */
static void follow(const struct shell *shell, struct buffer *target)
{
    buffer_printf(target, "    case $given in\n    ''|help)");
    first_words(shell, target);
    buffer_printf(target, " ;;\n");
    for (int i = 0; i < command_count; i++) {
        size_t length = strcspn(commands[i].words, " ");

        if (commands[i].words[length] == ' ' &&
            (i == 0 || strncmp(commands[i - 1].words, commands[i].words, length + 1) != 0))
            second_words(shell, target, length, i);
        if (commands[i].choices == NULL)
            continue;
        buffer_printf(target, "    '%s')", commands[i].words);
        first_argument(shell, target, commands[i].choices);
        buffer_printf(target, " ;;\n");
    }
    buffer_printf(target, "    esac\n");
}

/* Which options the command takes. */
static void options(const struct shell *shell, struct buffer *target)
{
    buffer_printf(target, "    case $given in\n");
    for (int i = 0; i < command_count; i++) {
        if (commands[i].options == 0)
            continue;
        buffer_printf(target, "    '%s'|'%s '*)", commands[i].words, commands[i].words);
        options_of(shell, target, "options", commands[i].options, 0);
        buffer_printf(target, " ;;\n");
    }
    buffer_printf(target, "    esac\n   ");
    options_of(shell, target, "options+", 0, 1);
    buffer_printf(target, "\n");
}

/* What the value of an option can be, where the shell knows more than the person does. */
static void values(const struct shell *shell, struct buffer *target)
{
    for (int i = 0; i < command_option_count; i++) {
        const struct command_option *option = &command_options[i];
        struct buffer words = {0};

        if (option->word == NULL)
            continue;
        command_option_words(option, &words);
        buffer_printf(target, "    %s) ", option->name);
        if (option->value == COMMAND_VALUE_FILE)
            buffer_printf(target,
                          shell->is_zsh ? "_files; " : "COMPREPLY=($(compgen -f -- \"$cur\")); ");
        else if (words.length > 0 && shell->is_zsh)
            buffer_printf(target, "compadd -- %s; ", words.data);
        else if (words.length > 0)
            buffer_printf(target, "COMPREPLY=($(compgen -W '%s' -- \"$cur\")); ", words.data);
        buffer_printf(target, "return ;;\n");
        buffer_clear(&words);
    }
    buffer_printf(target, "    esac\n");
}

int command_complete(const char *name, struct buffer *target)
{
    const struct shell *shell = strcmp(name, "zsh") == 0 ? &zsh : &bash;
    int written = 0;

    if (!shell->is_zsh && strcmp(name, "bash") != 0)
        return -1;
    buffer_printf(target, "%s        ", shell->begin);
    for (int i = 0; i < command_option_count; i++)
        if (command_options[i].word != NULL)
            buffer_printf(target, "%s%s", written++ > 0 ? "|" : "", command_options[i].name);
    buffer_printf(target, "%s", shell->middle);
    values(shell, target);
    follow(shell, target);
    options(shell, target);
    buffer_printf(target, "%s", shell->end);
    return 0;
}
