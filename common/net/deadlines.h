/* deadlines.h - how long a client of an HTTP server may take, and who has to go when there is little room.
 *
 * libmicrohttpd drops a client that is silent, but counts anew with each byte: one that sends or fetches a byte a
 * second would keep its connection for ever, and enough of them would keep everybody else out. Here the whole request
 * has a time, and so has the fetching of the whole answer. When three quarters of the connections are taken, each
 * new one takes the place of the client that is the longest at its request, where that is over a second, else of the
 * one that is the longest at its answer. So whoever asks in one piece is answered, however many dawdle.
 *
 * There is no thread: clients are looked at whenever a connection is opened or changes its state. A client that is
 * too late stays until then, when nobody else needs its place. All calls for one server come from libmicrohttpd's
 * thread (MHD_USE_..._INTERNAL_THREAD), so nothing is locked. */
#ifndef COMMON_DEADLINES_H
#define COMMON_DEADLINES_H

#include <stdint.h>

#include <microhttpd.h>

struct deadlines_settings {
    int connections_max;
    int64_t
        request_ms; /* from the opening, or the end of the last answer, to the end of the request */
    int64_t answer_ms; /* until the answer is fetched */
};

enum deadlines_state {
    DEADLINES_REQUEST = 0, /* its request is awaited, or not whole yet */
    DEADLINES_WORK,        /* we work at the answer: it has no deadline */
    DEADLINES_ANSWER,      /* it fetches the answer */
    DEADLINES_GONE,        /* its connection was ended; libmicrohttpd has not noticed yet */
    DEADLINES_STATES,
};

struct deadlines;
struct deadlines_client;

/** @brief New. The clients dropped are counted in bigfusion_slow_clients_total. */
struct deadlines *deadlines_new(const struct deadlines_settings *settings);

/** @brief Accepts NULL. Call it after MHD_stop_daemon(). */
void deadlines_free(struct deadlines *deadlines);

/** @brief For MHD_OPTION_NOTIFY_CONNECTION; context is the struct deadlines. */
void deadlines_on_connection(void *context, struct MHD_Connection *connection, void **client,
                             enum MHD_ConnectionNotificationCode code);

/** @brief Says what a connection is at from now on. */
void deadlines_enter(struct deadlines *deadlines, struct MHD_Connection *connection,
                     enum deadlines_state state);

/** @brief Ends the connections that have been fetching their answer for longer than min_ms: the
 * memory of the answers is needed. */
void deadlines_drop_fetching(struct deadlines *deadlines, int64_t min_ms);

/* What the above is made of; without I/O and clock, for the tests. */

/** @brief Counts a new client. It lives until deadlines_close(). Borrowed. */
struct deadlines_client *deadlines_open(struct deadlines *deadlines, int fd, int64_t now_ms);
void deadlines_move(struct deadlines *deadlines, struct deadlines_client *client,
                    enum deadlines_state state, int64_t now_ms);
void deadlines_close(struct deadlines *deadlines, struct deadlines_client *client);

/** @brief Takes the next client that has to go now, which is DEADLINES_GONE from then on.
 * @returns its descriptor; -1 when nobody has to */
int deadlines_due(struct deadlines *deadlines, int64_t now_ms);

#endif
