/* pause.c - `bigfusion pause`, `bigfusion resume`. */
#include "act/pause.h"

#include <stdio.h>

#include "base/date.h"

#include "act_line.h"
#include "command.h"

/* Without an argument: what is paused. */
static int list(const struct config *config, struct error *err)
{
    struct paused paused = {0};
    int rc = paused_read(config, &paused, err);

    for (int i = 0; rc == 0 && i < paused.count; i++) {
        const struct paused_one *one = &paused.list[i];
        char since[DATE_ISO_BYTES] = "?";

        if (one->since_ms >= 0)
            date_print_iso(since, one->since_ms);
        printf("%s is paused since %s by %s%s%s\n", one->key, since,
               one->who[0] != '\0' ? one->who : "?", one->why[0] != '\0' ? ": " : "", one->why);
    }
    if (rc == 0 && paused.count == 0)
        printf("nothing is paused\n");
    paused_clear(&paused);
    return rc;
}

static int set(const struct config *config, const struct command_line *line, int is_paused,
               struct error *err)
{
    struct pause_target target;
    struct act *act;
    int changed = 0, rc = -1;

    if (pause_target_find(config, line->words[0], &target, err) != 0)
        return -1;
    act = act_line_new(config, line, err);
    if (act != NULL)
        rc = pause_set(act, &target, is_paused, &changed, err);
    if (rc == 0)
        printf("%s %s %s%s\n", target.kind == PAUSED_STORE ? "store" : "account", target.shown,
               is_paused ? "is paused" : "goes on", changed ? "" : ", as before");
    act_free(act);
    return rc;
}

int pause_run(const struct config *config, const struct command_line *line, struct error *err)
{
    return line->word_count == 0 ? list(config, err) : set(config, line, 1, err);
}

int resume_run(const struct config *config, const struct command_line *line, struct error *err)
{
    return set(config, line, 0, err);
}
