#include "server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "answer.h"

#define BODY_MAX_BYTES ((size_t)64 << 20)
#define SLOW_PIECES 20

/* A poller keeps a connection for each store. */
enum { CONNECTIONS_MAX = 16384, CONNECTIONS_LEAST = 900, FILES_BESIDE = 100 };

struct server {
    struct MHD_Daemon *daemon;
    struct world *world;
    struct timers *timers;
};

enum exchange_state { EXCHANGE_NEW = 0, EXCHANGE_READING, EXCHANGE_WAITING };

/* One request while it is being received and answered. libmicrohttpd passes it from callback to
 * callback. */
struct exchange {
    struct server *server;
    char *uri;
    enum exchange_state state;
    struct request request;
    struct reply reply;
    struct answer answer;
};

/* A body that is sent in pieces, or only in part. */
struct trickle {
    struct server *server;
    struct MHD_Connection *connection;
    char *data;
    size_t length;
    size_t end;       /* where the connection is to break, when less than length */
    size_t piece;     /* bytes in one piece */
    int64_t pause_ms; /* wait between two pieces */
    int64_t next_ms;  /* monotonic clock: when the next piece may be sent */
};

static void resume(void *connection) { MHD_resume_connection(connection); }

static void suspend(struct server *server, struct MHD_Connection *connection, int64_t delay_ms)
{
    MHD_suspend_connection(connection);
    timers_add(server->timers, delay_ms, resume, connection);
}

static ssize_t read_trickle(void *data, uint64_t position, char *target, size_t max)
{
    struct trickle *trickle = data;
    size_t left = trickle->end - (size_t)position;
    int64_t now_ms = clock_monotonic_ms();

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (now_ms < trickle->next_ms) {
        suspend(trickle->server, trickle->connection, trickle->next_ms - now_ms);
        return 0;
    }
    trickle->next_ms = now_ms + trickle->pause_ms;
    left = left < trickle->piece ? left : trickle->piece;
    left = left < max ? left : max;
    memcpy(target, trickle->data + position, left);
    return (ssize_t)left;
}

static void free_trickle(void *data)
{
    struct trickle *trickle = data;

    free(trickle->data);
    free(trickle);
}

/* Queues the answer. It takes the reply's body. */
static struct MHD_Response *make_response(struct exchange *exchange,
                                          struct MHD_Connection *connection)
{
    struct buffer *body = &exchange->reply.body;
    char *data = body->data;
    size_t length = body->length;
    struct trickle *trickle;

    *body = (struct buffer){0};
    if (exchange->answer.kind != FAULT_CUT && exchange->answer.kind != FAULT_SLOW)
        return MHD_create_response_from_buffer(length, data == NULL ? "" : data,
                                               data == NULL ? MHD_RESPMEM_PERSISTENT
                                                            : MHD_RESPMEM_MUST_FREE);
    trickle = mem_alloc(sizeof *trickle);
    trickle->server = exchange->server;
    trickle->connection = connection;
    trickle->data = data;
    trickle->length = trickle->end = trickle->piece = length;
    if (exchange->answer.kind == FAULT_CUT) {
        trickle->end = length / 2;
    } else {
        trickle->piece = length / SLOW_PIECES + 1;
        trickle->pause_ms = exchange->answer.pause_ms;
    }
    return MHD_create_response_from_callback(length, 65536, read_trickle, trickle, free_trickle);
}

static enum MHD_Result send_reply(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct reply *reply = &exchange->reply;
    struct MHD_Response *response = mem_check(make_response(exchange, connection));
    enum MHD_Result result;

    for (int i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (reply->status != 204)
        MHD_add_response_header(response, "Content-Type",
                                reply->type == NULL ? "application/json" : reply->type);
    result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void open_exchange(struct exchange *exchange, struct MHD_Connection *connection,
                          const char *method)
{
    struct request *request = &exchange->request;

    request_open(request, method, exchange->uri);
    request->api_key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Keap-API-Key");
    request->bearer = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    request->bc_token = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Auth-Token");
    request->content_type =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    exchange->state = EXCHANGE_READING;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct exchange *exchange = *context;

    (void)data, (void)url, (void)version;
    if (exchange->state == EXCHANGE_NEW) {
        open_exchange(exchange, connection, method);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        if (exchange->request.body.length + *upload_size > BODY_MAX_BYTES)
            return MHD_NO;
        buffer_append(&exchange->request.body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (exchange->state == EXCHANGE_READING) {
        answer_make(exchange->server->world, &exchange->request, &exchange->reply,
                    &exchange->answer);
        if (exchange->answer.delay_ms > 0) {
            exchange->state = EXCHANGE_WAITING;
            suspend(exchange->server, connection, exchange->answer.delay_ms);
            return MHD_YES;
        }
    }
    if (exchange->answer.drop)
        return MHD_NO; /* this ends the connection */
    return send_reply(exchange, connection);
}

/* libmicrohttpd calls this with the request line as it was sent, before anything is decoded. */
static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = mem_alloc(sizeof *exchange);

    (void)connection;
    exchange->server = data;
    exchange->uri = mem_strdup(uri);
    return exchange;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)data, (void)connection, (void)code;
    if (exchange == NULL)
        return;
    request_close(&exchange->request);
    reply_clear(&exchange->reply);
    free(exchange->uri);
    free(exchange);
    *context = NULL;
}

static int bind_first(const struct addrinfo *address, struct error *err)
{
    int one = 1, fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return error_set(err, ERROR_TEMPORARY, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* connections inherit this
                                                                   option */
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
        error_set(err, ERROR_PERMANENT, "cannot listen: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* Opens a listening socket and writes http://HOST:PORT, with the real port, into url. */
static int open_socket(const char *listen_at, char *url, size_t size, struct error *err)
{
    const char *colon = strrchr(listen_at, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *address = NULL;
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    char host[128], port[16];
    int fd, code;

    if (colon == NULL || colon == listen_at || (size_t)(colon - listen_at) >= sizeof host)
        return error_set(err, ERROR_PERMANENT, "--listen must be HOST:PORT, not %s", listen_at);
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen_at), listen_at);
    code = getaddrinfo(host, colon + 1, &hints, &address);
    if (code != 0)
        return error_set(err, ERROR_PERMANENT, "--listen %s: %s", listen_at, gai_strerror(code));
    fd = bind_first(address, err);
    freeaddrinfo(address);
    if (fd < 0)
        return error_prefix(err, "--listen %s: ", listen_at);
    if (getsockname(fd, (struct sockaddr *)&bound, &length) == 0 &&
        getnameinfo((struct sockaddr *)&bound, length, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV) == 0)
        snprintf(url, size, "http://%s:%s", host, port);
    return fd;
}

/* Raises the limit of open files as far as it goes. @returns connections that there is room for */
static unsigned allow_connections(void)
{
    struct rlimit limit;
    rlim_t wanted = CONNECTIONS_MAX + FILES_BESIDE;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_LEAST;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return CONNECTIONS_MAX;
    if (limit.rlim_cur <= CONNECTIONS_LEAST + FILES_BESIDE)
        return CONNECTIONS_LEAST;
    return (unsigned)(limit.rlim_cur - FILES_BESIDE);
}

struct server *server_start(const char *listen_at, struct world *world, struct timers *timers,
                            struct error *err)
{
    struct server *server = mem_alloc(sizeof *server);
    int fd = open_socket(listen_at, world->base_url, sizeof world->base_url, err);

    if (fd < 0) {
        free(server);
        return NULL;
    }
    server->world = world;
    server->timers = timers;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)65536, MHD_OPTION_CONNECTION_LIMIT, allow_connections(), MHD_OPTION_END);
    if (server->daemon == NULL) {
        error_set(err, ERROR_TEMPORARY, "cannot start the HTTP server");
        close(fd);
        free(server);
        return NULL;
    }
    return server;
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
