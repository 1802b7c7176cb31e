#include "net/deadlines.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/metric.h"

/* What the kernel takes of an answer that is not fetched. By default that is 4 MB for a connection, which
 * count toward the memory of a container. */
enum { SEND_BYTES = 65536 };

/* A client has this long to say its request before it loses its place while others fetch their answers:
 * its machine may be busy. */
enum { ASKING_MS = 1000 };

/* Clients are in one list for each state, the one that entered it first at the head. */
struct deadlines_client {
    struct deadlines_client *before, *after;
    enum deadlines_state state;
    int fd;
    int64_t since_ms;
};

struct list {
    struct deadlines_client *first, *last;
};

struct deadlines {
    struct deadlines_settings settings;
    struct list lists[DEADLINES_STATES];
    int count; /* without those that are gone */
    struct metric *late_request, *late_answer, *no_room;
};

static struct metric *counter(const char *labels)
{
    return metric_counter("bigfusion_slow_clients_total",
                          "Clients of this program's HTTP server that were dropped", labels);
}

struct deadlines *deadlines_new(const struct deadlines_settings *settings)
{
    struct deadlines *deadlines = mem_alloc(sizeof(*deadlines));

    deadlines->settings = *settings;
    deadlines->late_request = counter("why=\"request\"");
    deadlines->late_answer = counter("why=\"answer\"");
    deadlines->no_room = counter("why=\"room\"");
    return deadlines;
}

void deadlines_free(struct deadlines *deadlines)
{
    if (deadlines == NULL)
        return;
    for (int state = 0; state < DEADLINES_STATES; state++)
        while (deadlines->lists[state].first != NULL)
            deadlines_close(deadlines, deadlines->lists[state].first);
    free(deadlines);
}

static void unlink_client(struct list *list, struct deadlines_client *client)
{
    *(client->before == NULL ? &list->first : &client->before->after) = client->after;
    *(client->after == NULL ? &list->last : &client->after->before) = client->before;
    client->before = client->after = NULL;
}

static void append(struct list *list, struct deadlines_client *client)
{
    client->before = list->last;
    *(list->last == NULL ? &list->first : &list->last->after) = client;
    list->last = client;
}

struct deadlines_client *deadlines_open(struct deadlines *deadlines, int fd, int64_t now_ms)
{
    struct deadlines_client *client = mem_alloc(sizeof(*client));

    client->fd = fd;
    client->since_ms = now_ms;
    append(&deadlines->lists[DEADLINES_REQUEST], client);
    deadlines->count++;
    return client;
}

void deadlines_move(struct deadlines *deadlines, struct deadlines_client *client,
                    enum deadlines_state state, int64_t now_ms)
{
    if (client->state == DEADLINES_GONE)
        return;
    unlink_client(&deadlines->lists[client->state], client);
    client->state = state;
    client->since_ms = now_ms;
    append(&deadlines->lists[state], client);
    deadlines->count -= state == DEADLINES_GONE;
}

void deadlines_close(struct deadlines *deadlines, struct deadlines_client *client)
{
    unlink_client(&deadlines->lists[client->state], client);
    deadlines->count -= client->state != DEADLINES_GONE;
    free(client);
}

static int is_late(const struct deadlines_client *client, int64_t limit_ms, int64_t now_ms)
{
    return client != NULL && now_ms - client->since_ms > limit_ms;
}

int deadlines_due(struct deadlines *deadlines, int64_t now_ms)
{
    const struct deadlines_settings *settings = &deadlines->settings;
    struct deadlines_client *asking = deadlines->lists[DEADLINES_REQUEST].first;
    struct deadlines_client *fetching = deadlines->lists[DEADLINES_ANSWER].first;
    struct deadlines_client *client = NULL;

    if (is_late(asking, settings->request_ms, now_ms)) {
        client = asking;
        metric_add(deadlines->late_request, 1);
    } else if (is_late(fetching, settings->answer_ms, now_ms)) {
        client = fetching;
        metric_add(deadlines->late_answer, 1);
    } else if (deadlines->count > settings->connections_max / 4 * 3) {
        client = fetching == NULL || is_late(asking, ASKING_MS, now_ms) ? asking : fetching;
        metric_add(deadlines->no_room, client != NULL);
    }
    if (client == NULL)
        return -1;
    deadlines_move(deadlines, client, DEADLINES_GONE, now_ms);
    return client->fd;
}

/* libmicrohttpd sees the end of the connection, tells its owner and closes the descriptor, which is ours until
 * deadlines_on_connection() is called for it. */
static void end(int fd) { shutdown(fd, SHUT_RDWR); }

static void sweep(struct deadlines *deadlines, int64_t now_ms)
{
    int fd;

    while ((fd = deadlines_due(deadlines, now_ms)) >= 0)
        end(fd);
}

void deadlines_on_connection(void *context, struct MHD_Connection *connection, void **client,
                             enum MHD_ConnectionNotificationCode code)
{
    struct deadlines *deadlines = context;
    int64_t now_ms = clock_monotonic_ms();

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BYTES}, sizeof(int));
        *client = deadlines_open(deadlines, fd, now_ms);
        sweep(deadlines, now_ms);
    } else if (*client != NULL) {
        deadlines_close(deadlines, *client);
        *client = NULL;
    }
}

void deadlines_enter(struct deadlines *deadlines, struct MHD_Connection *connection,
                     enum deadlines_state state)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    int64_t now_ms = clock_monotonic_ms();

    deadlines_move(deadlines, info->socket_context, state, now_ms);
    sweep(deadlines, now_ms);
}

void deadlines_drop_fetching(struct deadlines *deadlines, int64_t min_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    struct deadlines_client *client;

    while (is_late(client = deadlines->lists[DEADLINES_ANSWER].first, min_ms, now_ms)) {
        metric_add(deadlines->late_answer, 1);
        deadlines_move(deadlines, client, DEADLINES_GONE, now_ms);
        end(client->fd);
    }
}
