#include "act/act.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "act/audit.h"
#include "base/mem.h"
#include "base/stop.h"

enum { WHY_BYTES_MAX = 2000 };

static volatile sig_atomic_t cancelled;

static void on_signal(int number)
{
    (void)number;
    if (cancelled)
        stop_request();
    cancelled = 1;
}

void act_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int act_is_cancelled(void) { return cancelled || stop_requested(); }

struct act *act_new(const struct config *config, const char *who, const char *why,
                    struct error *err)
{
    struct act *act = mem_alloc(sizeof(*act));

    act->config = config;
    topics_init(&act->topics, config);
    act->why = mem_strdup(why);
    if (why != NULL && strlen(why) > WHY_BYTES_MAX)
        error_set(err, ERROR_PERMANENT, "the reason is longer than %d bytes", WHY_BYTES_MAX);
    else if ((act->audit = audit_new(config, who, err)) != NULL)
        act->send = send_new(config, "bigfusion-act", err);
    if (act->send != NULL)
        return act;
    act_free(act);
    return NULL;
}

void act_free(struct act *act)
{
    if (act == NULL)
        return;
    audit_free(act->audit);
    send_free(act->send);
    topics_clear(&act->topics);
    free(act->why);
    free(act->name);
    free(act);
}

static json_t *why_json(const struct act *act)
{
    json_t *why = act->why != NULL ? json_string(act->why) : NULL;

    return why != NULL ? why : json_null(); /* also where it is no UTF-8 */
}

int act_begin(struct act *act, const char *name, json_t *about, struct error *err)
{
    free(act->name);
    act->name = mem_strdup(name);
    json_object_set_new(about, "act", json_string(name));
    json_object_set_new(about, "step", json_string("begin"));
    json_object_set_new(about, "why", why_json(act));
    return audit_append(act->audit, about, &act->entry, err);
}

int act_end(struct act *act, const char *outcome, json_t *result, struct error *err)
{
    int64_t n;

    json_object_set_new(result, "act", json_string(act->name));
    json_object_set_new(result, "step", json_string("end"));
    json_object_set_new(result, "of", json_integer(act->entry));
    json_object_set_new(result, "outcome", json_string(outcome));
    return audit_append(act->audit, result, &n, err);
}

int act_finish(struct act *act, int rc, json_t *result, struct error *err)
{
    struct error own = {0};
    const char *outcome = rc == 0 ? "done" : err->kind == ERROR_PERMANENT ? "refused" : "failed";

    if (rc != 0)
        json_object_set_new(result, "error", json_string(err->text));
    if (act_end(act, outcome, result, &own) == 0)
        return rc;
    if (rc == 0) {
        *err = own;
        error_prefix(err, "it was done, but ");
    }
    return -1;
}
