#include "serve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/deadlines.h"
#include "net/health.h"

#include "files.h"

enum {
    /* A client that says nothing for IDLE_S, or fetches nothing of its answer, is dropped. */
    IDLE_S = 10,
    /* One that says or fetches a little now and then is dropped after these (deadlines.h). */
    REQUEST_MS = 20000,
    ANSWER_MS = 60000,
    ANSWER_HURRY_MS = 2000, /* when ANSWER_BYTES_MAX is reached */
    CONNECTIONS_MAX = 512,
    CONNECTION_BYTES = 16384, /* request line and headers */
    BODY_BYTES_MAX = 65536,
    BODY_BYTES_READ = 1 << 20,   /* of a body that is too large, before the line is cut */
    ANSWER_BYTES_MAX = 32 << 20, /* of all answers that clients have not fetched yet */
    FILES_BESIDE = 64,
    URI_BYTES_MAX = 8192,
};

struct serve {
    struct serve_settings settings;
    struct guard guard;
    struct MHD_Daemon *daemon;
    struct deadlines *deadlines;
    struct lanes *lanes;
    atomic_long answer_bytes;
    struct metric *answered[5]; /* by the first digit of the status */
};

enum exchange_state { EXCHANGE_NEW = 0, EXCHANGE_READING, EXCHANGE_ANSWERED };

/* One request, from its first line until its answer has been sent. */
struct exchange {
    struct lane_job job; /* first, so that a job is its exchange */
    struct serve *serve;
    struct MHD_Connection *connection;
    const struct serve_route *route;
    enum exchange_state state;
    struct request request;
    struct buffer body;
    size_t body_read; /* bytes of the body that came, kept or not */
    struct reply reply;
    const char *allow;  /* for 405 */
    long counted_bytes; /* what answer_bytes has of it */
    int is_uri_bad;
};

/* Sent with every answer. The page has no inline script or style, so none is allowed to run. */
static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
     "'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Frame-Options", "DENY"},
};

static enum MHD_Result queue(struct exchange *exchange, struct MHD_Response *response, int status)
{
    enum MHD_Result result;

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    metric_add(exchange->serve->answered[status / 100 - 1], 1);
    deadlines_enter(exchange->serve->deadlines, exchange->connection, DEADLINES_ANSWER);
    result = MHD_queue_response(exchange->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_reply(struct exchange *exchange)
{
    struct serve *serve = exchange->serve;
    struct reply *reply = &exchange->reply;
    int status = reply->status == 0 ? MHD_HTTP_OK : reply->status;
    struct MHD_Response *response;

    if (atomic_load(&serve->answer_bytes) + (long)reply->body.length > ANSWER_BYTES_MAX) {
        deadlines_drop_fetching(serve->deadlines, ANSWER_HURRY_MS);
        reply_error(reply, 503, "busy", "Too many answers wait to be fetched. Ask again.");
        status = 503;
    }
    exchange->counted_bytes = (long)reply->body.length;
    atomic_fetch_add(&serve->answer_bytes, exchange->counted_bytes);
    response = mem_check(MHD_create_response_from_buffer(
        reply->body.length, reply->body.data == NULL ? "" : reply->body.data,
        reply->body.data == NULL ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE));
    reply->body = (struct buffer){0};
    MHD_add_response_header(response, "Content-Type",
                            reply->type == NULL ? "application/json" : reply->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer realm=\"bigfusion console\"");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", exchange->allow);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "1");
    return queue(exchange, response, status);
}

static enum MHD_Result refuse(struct exchange *exchange, int status, const char *code,
                              const char *sentence)
{
    reply_error(&exchange->reply, status, code, "%s", sentence);
    exchange->state = EXCHANGE_ANSWERED;
    return send_reply(exchange);
}

static enum MHD_Result send_file(struct exchange *exchange, const struct file *file)
{
    const char *known =
        MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "If-None-Match");
    int is_known = file->is_kept && known != NULL && strcmp(known, file_tag(file)) == 0;
    struct MHD_Response *response = mem_check(MHD_create_response_from_buffer(
        is_known ? 0 : file->length, (void *)file->data, MHD_RESPMEM_PERSISTENT));

    MHD_add_response_header(response, "Content-Type", file->type);
    MHD_add_response_header(response, "Cache-Control", file->is_kept ? "no-cache" : "no-store");
    if (file->is_kept)
        MHD_add_response_header(response, "ETag", file_tag(file));
    exchange->state = EXCHANGE_ANSWERED;
    return queue(exchange, response, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK);
}

static int is_method(const char *given, const char *wanted)
{
    return strcmp(given, wanted) == 0 || (strcmp(given, "HEAD") == 0 && strcmp(wanted, "GET") == 0);
}

/* The route of a path and method. allow: what else the path takes, or NULL when it is not known. */
static const struct serve_route *find_route(const struct serve *serve, const char *path,
                                            const char *method, const char **allow)
{
    *allow = NULL;
    for (int i = 0; i < serve->settings.route_count; i++) {
        const struct serve_route *route = &serve->settings.routes[i];

        if (strcmp(route->path, path) != 0)
            continue;
        if (is_method(method, route->method))
            return route;
        /* A path has GET and POST at most. */
        if (*allow != NULL)
            *allow = "GET, HEAD, POST";
        else
            *allow = strcmp(route->method, "GET") == 0 ? "GET, HEAD" : "POST";
    }
    return NULL;
}

struct argument_walk {
    struct exchange *exchange;
    const char *why;
    const char *unknown;
};

static enum MHD_Result on_argument(void *data, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *value, size_t value_length)
{
    struct argument_walk *walk = data;
    char wanted[64];

    (void)kind;
    if (request_add_argument(&walk->exchange->request, name, value, value_length, &walk->why) != 0)
        return MHD_NO;
    snprintf(wanted, sizeof(wanted), "|%.40s|", name);
    if (name_length > 40 || strlen(name) != name_length || name_length == 0 ||
        strstr(walk->exchange->route->arguments, wanted) == NULL) {
        walk->unknown = name;
        return MHD_NO;
    }
    return MHD_YES;
}

static const char *header(struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static const struct guard_refusal *check(struct exchange *exchange, enum guard_need need,
                                         int has_body)
{
    struct guard_headers given = {
        .host = header(exchange, "Host"),
        .origin = header(exchange, "Origin"),
        .fetch_site = header(exchange, "Sec-Fetch-Site"),
        .authorization = header(exchange, "Authorization"),
        .content_type = header(exchange, "Content-Type"),
        .has_body = has_body,
    };

    return guard_check(&exchange->serve->guard, need, &given);
}

/* What is decided before the body is read. An answer that is given here ends the connection when a
 * body follows. */
static enum MHD_Result open_exchange(struct exchange *exchange, const char *method)
{
    const char *length = header(exchange, "Content-Length");
    struct argument_walk walk = {.exchange = exchange};
    const struct guard_refusal *refusal;

    exchange->route = find_route(exchange->serve, exchange->request.path, method, &exchange->allow);
    if (exchange->route == NULL)
        return MHD_YES;
    refusal = check(exchange, exchange->route->need, strcmp(method, "POST") == 0);
    if (refusal != NULL) {
        if (exchange->route->need == GUARD_ACT)
            log_warn("refused act=%s why=%s", exchange->route->path, refusal->code);
        return refuse(exchange, refusal->status, refusal->code, refusal->sentence);
    }
    MHD_get_connection_values_n(exchange->connection, MHD_GET_ARGUMENT_KIND, on_argument, &walk);
    if (walk.why != NULL)
        return refuse(exchange, 400, "bad_query", walk.why);
    if (walk.unknown != NULL)
        return refuse(exchange, 400, "unknown_argument",
                      "The query has an argument that this path does not take; see "
                      "/api/v1/openapi.json.");
    if (length != NULL && strtoull(length, NULL, 10) > BODY_BYTES_MAX)
        return refuse(exchange, 413, "too_large", "The body may have 65,536 bytes.");
    return MHD_YES;
}

static enum MHD_Result read_body(struct exchange *exchange, const char *upload, size_t *size)
{
    exchange->body_read += *size;
    if (exchange->body_read > BODY_BYTES_READ)
        return MHD_NO; /* this ends the connection */
    if (exchange->body_read <= BODY_BYTES_MAX)
        buffer_append(&exchange->body, upload, *size);
    *size = 0;
    return MHD_YES;
}

/* A path that no route has: a file, or one of health.h. */
static enum MHD_Result answer_here(struct exchange *exchange, const char *method)
{
    const struct file *file = file_find(exchange->request.path);
    const struct guard_refusal *refusal = check(exchange, GUARD_OPEN, 0);
    int status;

    if (refusal != NULL)
        return refuse(exchange, refusal->status, refusal->code, refusal->sentence);
    if (file != NULL && is_method(method, "GET"))
        return send_file(exchange, file);
    status = health_answer(exchange->request.path, &exchange->reply.body);
    if (status == MHD_HTTP_NOT_FOUND && file == NULL && exchange->allow == NULL)
        return refuse(exchange, 404, "no_such_path",
                      "There is no such path; /api/v1/openapi.json names those that exist.");
    if (!is_method(method, "GET") || exchange->allow != NULL) {
        exchange->allow = exchange->allow == NULL ? "GET, HEAD" : exchange->allow;
        return refuse(exchange, 405, "wrong_method", "This path does not take this method.");
    }
    exchange->reply.status = status;
    exchange->reply.type = HEALTH_CONTENT_TYPE;
    exchange->state = EXCHANGE_ANSWERED;
    return send_reply(exchange);
}

/* What the one who asks may do here; for the page. */
static void print_session(struct exchange *exchange)
{
    const struct guard *guard = &exchange->serve->guard;
    int has_token = guard->token != NULL && guard->token[0] != '\0';

    buffer_printf(&exchange->reply.body, "{\"acts\":%s,\"reading\":\"%s\"}\n",
                  has_token ? "true" : "false",
                  guard->is_loopback ? "free"
                  : has_token        ? "token"
                                     : "refused");
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct exchange *exchange = *context;

    (void)data, (void)version;
    if (exchange->state == EXCHANGE_NEW) {
        exchange->state = EXCHANGE_READING;
        exchange->connection = connection;
        exchange->request.path = url;
        if (exchange->is_uri_bad)
            return refuse(exchange, 400, "bad_url", "The url has a NUL or is too long.");
        /* A proxy could take the length that we do not, and the rest for another request. */
        if (header(exchange, "Transfer-Encoding") != NULL &&
            header(exchange, "Content-Length") != NULL)
            return refuse(exchange, 400, "two_lengths",
                          "A request has Transfer-Encoding or Content-Length, not both.");
        return open_exchange(exchange, method);
    }
    if (*upload_size > 0)
        return read_body(exchange, upload, upload_size);
    if (exchange->state == EXCHANGE_ANSWERED)
        return send_reply(exchange);
    if (exchange->route == NULL)
        return answer_here(exchange, method);
    if (exchange->body_read > BODY_BYTES_MAX)
        return refuse(exchange, 413, "too_large", "The body may have 65,536 bytes.");
    exchange->request.body = (struct text){exchange->body.data, exchange->body.length};
    exchange->state = EXCHANGE_ANSWERED;
    if (exchange->route->answer == NULL) {
        print_session(exchange);
        return send_reply(exchange);
    }
    deadlines_enter(exchange->serve->deadlines, connection, DEADLINES_WORK);
    MHD_suspend_connection(connection);
    if (lanes_add(exchange->serve->lanes, exchange->route->lane, &exchange->job) != 0) {
        reply_error(&exchange->reply, 503, "busy", "Too many requests are under way. Ask again.");
        MHD_resume_connection(connection);
    }
    return MHD_YES;
}

/* In a thread of the lanes. */
static void run_job(void *context, struct lane_job *job, void *worker, int is_stopping)
{
    struct exchange *exchange = (struct exchange *)job;

    (void)context;
    if (is_stopping)
        reply_error(&exchange->reply, 503, "stopping", "The console is being stopped.");
    else
        exchange->route->answer(worker, &exchange->request, &exchange->reply);
    MHD_resume_connection(exchange->connection);
}

/* libmicrohttpd calls this with the request line as it was sent, before anything is decoded. A NUL
 * would hide the rest of a path from everybody who reads it as a string. */
static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = mem_alloc(sizeof(*exchange));

    (void)connection;
    exchange->serve = data;
    exchange->is_uri_bad = strlen(uri) > URI_BYTES_MAX || strstr(uri, "%00") != NULL;
    return exchange;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)data, (void)code;
    if (exchange == NULL)
        return;
    deadlines_enter(exchange->serve->deadlines, connection, DEADLINES_REQUEST);
    atomic_fetch_sub(&exchange->serve->answer_bytes, exchange->counted_bytes);
    buffer_clear(&exchange->body);
    buffer_clear(&exchange->reply.body);
    free(exchange);
    *context = NULL;
}

static int is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;

        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static struct addrinfo *resolve(const char *listen, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *address = NULL;
    const char *colon = strrchr(listen, ':');
    char host[128];
    size_t length = colon == NULL ? 0 : (size_t)(colon - listen);

    if (colon == NULL || length >= sizeof(host)) {
        error_set(err, ERROR_PERMANENT, "[console] listen = %.60s: allowed: host:port", listen);
        return NULL;
    }
    if (length > 2 && listen[0] == '[' && listen[length - 1] == ']')
        snprintf(host, sizeof(host), "%.*s", (int)length - 2, listen + 1);
    else
        snprintf(host, sizeof(host), "%.*s", (int)length, listen);
    if (getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &address) != 0) {
        error_set(err, ERROR_PERMANENT, "[console] listen = %.60s: no such address", listen);
        return NULL;
    }
    return address;
}

static int start_daemon(struct serve *serve, struct error *err)
{
    static const struct deadlines_settings times = {CONNECTIONS_MAX, REQUEST_MS, ANSWER_MS};
    struct addrinfo *address = resolve(serve->settings.listen, err);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;

    if (address == NULL)
        return -1;
    serve->guard = (struct guard){is_loopback(address->ai_addr), serve->settings.token};
    serve->deadlines = deadlines_new(&times);
    serve->daemon = MHD_start_daemon(
        flags | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, on_request,
        serve, MHD_OPTION_SOCK_ADDR, address->ai_addr, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)CONNECTIONS_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, serve, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, deadlines_on_connection, serve->deadlines, MHD_OPTION_END);
    freeaddrinfo(address);
    if (serve->daemon == NULL)
        return error_set(err, ERROR_PERMANENT,
                         "[console] listen = %.60s: cannot listen there; allowed: a free port",
                         serve->settings.listen);
    return 0;
}

static void say_where(const struct serve *serve)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_BIND_PORT);
    const char *listen = serve->settings.listen;
    int has_token = serve->guard.token != NULL && serve->guard.token[0] != '\0';

    log_info("listening for=console address=%.*s:%u acts=%s reading=%s",
             (int)(strrchr(listen, ':') - listen), listen, info == NULL ? 0u : info->port,
             has_token ? "with_token" : "refused",
             serve->guard.is_loopback ? "free"
             : has_token              ? "with_token"
                                      : "refused");
    if (!serve->guard.is_loopback && !has_token)
        log_warn(
            "console closed why=\"it listens on an address that other machines can reach, and "
            "[console] token_file is empty: only /healthz, /readyz and /metrics are answered\"");
    else if (!serve->guard.is_loopback)
        log_warn(
            "console without TLS why=\"it listens on an address that other machines can reach; "
            "put a reverse proxy with TLS in front of it\"");
}

struct serve *serve_start(const struct serve_settings *settings, struct error *err)
{
    struct serve *serve = mem_alloc(sizeof(*serve));
    struct lanes_settings lanes = {
        .run = run_job,
        .worker_new = settings->worker_new,
        .worker_free = settings->worker_free,
        .context = settings->context,
    };
    char labels[32];

    serve->settings = *settings;
    for (int i = 0; i < 5; i++) {
        snprintf(labels, sizeof(labels), "status=\"%dxx\"", i + 1);
        serve->answered[i] = metric_counter("bigfusion_console_requests_total",
                                            "Requests that the console answered", labels);
    }
    if (limits_allow_files(CONNECTIONS_MAX + FILES_BESIDE, "the console's connections", err) == 0)
        serve->lanes = lanes_start(&lanes, err);
    if (serve->lanes == NULL || start_daemon(serve, err) != 0) {
        serve_stop(serve);
        return NULL;
    }
    say_where(serve);
    return serve;
}

void serve_stop(struct serve *serve)
{
    if (serve == NULL)
        return;
    /* Every connection that waits for a thread must go on before the server can end. */
    lanes_stop(serve->lanes);
    if (serve->daemon != NULL)
        MHD_stop_daemon(serve->daemon);
    deadlines_free(serve->deadlines);
    lanes_free(serve->lanes);
    free(serve);
}
