#include "act_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/audit.h"

struct act *act_line_new(const struct config *config, const struct command_line *line,
                         struct error *err)
{
    char *who = audit_who();
    struct act *act = act_new(config, who, command_line_value(line, COMMAND_OPTION_WHY), err);

    free(who);
    act_catch_signals();
    return act;
}

int act_line_read(char *text, size_t size, struct error *err)
{
    if (fgets(text, (int)size, stdin) == NULL)
        return error_set(err, ERROR_PERMANENT, "standard input has no line");
    text[strcspn(text, "\r\n")] = '\0';
    return 0;
}
