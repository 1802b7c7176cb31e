#include "net/health.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/deadlines.h"

struct part {
    struct part *next;
    char *name;
    char *why;
    int ready;
};

enum {
    /* A client that connects and asks nothing, or sends half a request, is dropped after IDLE_S.
     * There is room for several hundred such clients beside the one that asks properly. Together
     * they cost 2 MB. deadlines.h has the time of a client that dawdles. */
    IDLE_S = 3,
    REQUEST_MS = 6000,
    ANSWER_MS = 15000,
    CONNECTIONS_MAX = 512,
    CONNECTION_BYTES = 4096,
    SPARE_FILES = 1024, /* descriptors that are left for the program itself */
};

/* There is one of each in a process, because they are about the process. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct part *parts;
static struct MHD_Daemon *server;
static struct deadlines *deadlines;

void health_set_ready(const char *part_name, int ready, const char *why)
{
    struct part *part;
    int changed;
    const struct log_about *before;

    pthread_mutex_lock(&lock);
    for (part = parts; part != NULL; part = part->next)
        if (strcmp(part->name, part_name) == 0)
            break;
    changed = part == NULL ? !ready : part->ready != ready;
    if (part == NULL) {
        part = mem_alloc(sizeof(*part));
        part->name = mem_strdup(part_name);
        part->next = parts;
        parts = part;
    }
    part->ready = ready;
    free(part->why);
    part->why = mem_strdup(ready || why == NULL ? "" : why);
    pthread_mutex_unlock(&lock);
    before = log_set_about(NULL); /* the line is about the process, not about an order in hand */
    if (changed && ready)
        log_info("ready again part=\"%s\"", part_name);
    else if (changed)
        log_warn("not ready part=\"%s\" why=\"%s\"", part_name, why == NULL ? "" : why);
    log_set_about(before);
}

/* A program that has named no part yet is still starting, so it is not ready. */
static int print_ready(struct buffer *page)
{
    int ready;

    pthread_mutex_lock(&lock);
    ready = parts != NULL;
    for (const struct part *part = parts; part != NULL; part = part->next) {
        ready = ready && part->ready;
        buffer_printf(page, "%s: %s%s%s\n", part->name, part->ready ? "ready" : "not ready",
                      part->why[0] ? ": " : "", part->why);
    }
    pthread_mutex_unlock(&lock);
    if (page->length == 0)
        buffer_printf(page, "not ready: starting\n");
    return ready;
}

static void print_metrics(struct buffer *page)
{
    metric_print_all(page, clock_now_ms());
    if (page->length == 0)
        buffer_printf(page, "# nothing counted yet\n");
}

int health_answer(const char *path, struct buffer *page)
{
    if (strcmp(path, "/readyz") == 0)
        return print_ready(page) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    if (strcmp(path, "/healthz") == 0)
        buffer_printf(page, "alive\n");
    else if (strcmp(path, "/metrics") == 0)
        print_metrics(page);
    else
        return MHD_HTTP_NOT_FOUND;
    return MHD_HTTP_OK;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    struct buffer page = {0};
    unsigned status = MHD_HTTP_OK;
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)context, (void)version, (void)upload, (void)request;
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buffer_printf(&page, "only GET\n");
    } else {
        status = (unsigned)health_answer(url, &page);
        if (status == MHD_HTTP_NOT_FOUND)
            buffer_printf(&page, "see /healthz, /readyz, /metrics\n");
    }
    response = MHD_create_response_from_buffer(page.length, page.data, MHD_RESPMEM_MUST_COPY);
    buffer_clear(&page);
    MHD_add_response_header(response, "Content-Type", HEALTH_CONTENT_TYPE);
    deadlines_enter(deadlines, connection, DEADLINES_ANSWER);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    (void)context, (void)request, (void)code;
    deadlines_enter(deadlines, connection, DEADLINES_REQUEST);
}

/* Raises the limit of open files: the usual soft limit is 1,024, and clients of this server must
 * not take the descriptors that Kafka, Redis and the vendors' connections need. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    rlim_t wanted = CONNECTIONS_MAX + SPARE_FILES;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* One thread is enough for all connections: it serves a scrape every few seconds. */
static void start_server(const struct addrinfo *address)
{
    static const struct deadlines_settings times = {CONNECTIONS_MAX, REQUEST_MS, ANSWER_MS};

    deadlines = deadlines_new(&times);
    server = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0,
        NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)CONNECTIONS_MAX, MHD_OPTION_NOTIFY_CONNECTION,
        deadlines_on_connection, deadlines, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_END);
}

int health_start(const char *listen, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *address = NULL;
    const char *colon = strrchr(listen, ':');
    const union MHD_DaemonInfo *info;
    char host[128];

    if (strcmp(listen, "off") == 0)
        return 0;
    if (colon == NULL || (size_t)(colon - listen) >= sizeof(host))
        return error_set(err, ERROR_PERMANENT, "[health] listen = %.60s: allowed: host:port or off",
                         listen);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
    if (getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &address) != 0)
        return error_set(err, ERROR_PERMANENT, "[health] listen = %.60s: no such address", listen);
    allow_descriptors();
    start_server(address);
    freeaddrinfo(address);
    if (server == NULL)
        return error_set(err, ERROR_PERMANENT,
                         "[health] listen = %.60s: cannot listen there; allowed: a free port",
                         listen);
    info = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT);
    log_info("listening for=health address=%s:%u", host, info == NULL ? 0u : info->port);
    return 0;
}

void health_stop(void)
{
    struct part *part;

    if (server != NULL)
        MHD_stop_daemon(server);
    server = NULL;
    deadlines_free(deadlines);
    deadlines = NULL;
    metric_clear_all();
    while ((part = parts) != NULL) {
        parts = part->next;
        free(part->name);
        free(part->why);
        free(part);
    }
}
