/* drop.c - `bigfusion drop`: an order that is not to be synced. */
#include "act/drop.h"

#include <stdio.h>

#include "history/order_name.h"

#include "act_line.h"
#include "command.h"

int drop_run(const struct config *config, const struct command_line *line, struct error *err)
{
    char key[ORDER_KEY_BYTES], name[ORDER_NAME_BYTES];
    struct act *act;
    int rc = -1;

    if (!command_line_has(line, COMMAND_OPTION_WHY))
        return error_set(err, ERROR_PERMANENT, "drop needs a reason: --why TEXT");
    if (order_name_parse(config, line->words, line->word_count, key, err) != 0)
        return -1;
    act = act_line_new(config, line, err);
    if (act != NULL)
        rc = drop_order(act, key, err);
    if (rc == 0)
        printf("%s is dropped: skipped, reason dropped; entry %lld of the audit\n",
               order_name_print(config, key, name), (long long)act->entry);
    act_free(act);
    return rc;
}
