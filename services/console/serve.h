/* serve.h - the console's HTTP server. One thread has all connections (epoll); the threads of
 * lanes.h answer. Connections, their time, the size of a request, the requests under way and the
 * bytes of answers that slow clients have not fetched are limited. */
#ifndef CONSOLE_SERVE_H
#define CONSOLE_SERVE_H

#include "base/error.h"

#include "guard.h"
#include "lanes.h"
#include "request.h"

/* Answers one request, in a thread of the lanes. worker: what worker_new() of this thread returned. */
typedef void (*serve_answer)(void *worker, const struct request *request, struct reply *reply);

/* A path and who answers it. */
struct serve_route {
    const char *method; /* GET (HEAD is answered too) or POST */
    const char *path;
    enum guard_need need;
    enum lane lane;
    const char *arguments; /* the names that its query may have, e.g. "|order|account|" */
    serve_answer answer;   /* NULL: the server says itself who may do what (/api/v1/session) */
};

struct serve_settings {
    const char *listen;               /* host:port; with port 0 any free port is taken and logged */
    const char *token;                /* kept; NULL or "": read-only */
    const struct serve_route *routes; /* kept */
    int route_count;
    void *(*worker_new)(void *context); /* see lanes.h */
    void (*worker_free)(void *worker);
    void *context; /* kept */
};

struct serve;

/** @brief Starts the server. It also serves the page's files and the paths of health.h. New.
 * @returns NULL with an error */
struct serve *serve_start(const struct serve_settings *settings, struct error *err);

/** @brief Answers what is under way, closes all connections and frees it. Accepts NULL. */
void serve_stop(struct serve *serve);

#endif
