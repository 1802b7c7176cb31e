/* console-canned - the console's server and page in front of answers from a folder, so that tests of
 * the page and of the server need no broker and can show any state, also one that is rare.
 *
 * Usage: console-canned FOLDER HOST:PORT [TOKEN]
 * GET /api/v1/status is answered with FOLDER/status.json, /api/v1/orders?list=dead with
 * orders-dead.json, /api/v1/why?order=X and POST with why.json; an act with its name, and with
 * -dry_run where the body asks for that: retry-dry_run.json. A file that is missing is answered with
 * 503, and so is one whose name would leave the folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "net/health.h"

#include "../../services/console/routes.h"

static const char *folder;

static void give(struct reply *reply, const char *name)
{
    char path[512];
    char part[4096];
    size_t length;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.json", folder, name);
    file = strchr(name, '/') == NULL ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        reply_error(reply, 503, "no_answer", "There is no canned answer for this.");
        return;
    }
    while ((length = fread(part, 1, sizeof(part), file)) > 0)
        buffer_append(&reply->body, part, length);
    fclose(file);
}

static void answer(void *worker, const struct request *request, struct reply *reply)
{
    const char *list = request_argument(request, "list");
    const char *order = request_argument(request, "order");
    const char *last = strrchr(request->path, '/') + 1;
    char *body =
        mem_strndup(request->body.length > 0 ? request->body.data : "", request->body.length);
    char name[128];

    (void)worker;
    if (list != NULL)
        snprintf(name, sizeof(name), "%.40s-%.40s", last, list);
    else if (order != NULL && strcmp(order, "BC/404") == 0)
        snprintf(name, sizeof(name), "why-unknown");
    else
        snprintf(name, sizeof(name), "%.40s%s", last,
                 strstr(body, "\"dry_run\":true") != NULL ? "-dry_run" : "");
    free(body);
    give(reply, name);
}

static void *worker_new(void *context) { return context; }
static void worker_free(void *worker) { (void)worker; }

int main(int argc, char **argv)
{
    struct serve_route routes[ROUTE_COUNT];
    serve_answer answers[ROUTE_COUNT] = {0};
    struct error err = {0};
    struct serve *serve;

    log_open("console-canned");
    if (argc < 3)
        return 100;
    folder = argv[1];
    for (int i = 0; i < ROUTE_SESSION; i++)
        answers[i] = answer;
    routes_make(routes, answers);
    stop_install();
    health_set_ready("canned answers", 1, NULL);
    serve = serve_start(&(struct serve_settings){.listen = argv[2],
                                                 .token = argc > 3 ? argv[3] : NULL,
                                                 .routes = routes,
                                                 .route_count = ROUTE_COUNT,
                                                 .worker_new = worker_new,
                                                 .worker_free = worker_free},
                        &err);
    while (serve != NULL && !stop_requested())
        stop_wait_ms(500);
    serve_stop(serve);
    health_stop();
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
