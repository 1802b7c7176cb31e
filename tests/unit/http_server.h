/* http_server.h - a scripted HTTP server on 127.0.0.1, in a thread. Include it behind <cmocka.h>. */
#ifndef UNIT_HTTP_SERVER_H
#define UNIT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_MAX = 16 };

/* What the server does, request after request; NULL: closes the connection without an answer. */
struct server {
    int listener;
    int port;
    const char *const *script;
    int script_count;
    int accepted;
    int requests;
    char seen[REQUESTS_MAX][2048];
    pthread_t thread;
};

/* One request with its body. @returns 0, or -1 at the end of the connection */
static inline int read_request(int line, char *target, size_t size)
{
    size_t used = 0;

    for (;;) {
        ssize_t got = read(line, target + used, size - 1 - used);
        char *end, *length;

        if (got <= 0)
            return -1;
        used += (size_t)got;
        target[used] = '\0';
        end = strstr(target, "\r\n\r\n");
        if (end == NULL)
            continue;
        length = strstr(target, "Content-Length: ");
        if (length == NULL || used >= (size_t)(end + 4 - target) + strtoul(length + 16, NULL, 10))
            return 0;
    }
}

static inline void *serve(void *context)
{
    struct server *server = context;

    while (server->requests < server->script_count) {
        int line = accept(server->listener, NULL, NULL);

        if (line < 0)
            break;
        server->accepted++;
        while (server->requests < server->script_count &&
               read_request(line, server->seen[server->requests], sizeof(server->seen[0])) == 0) {
            const char *answer = server->script[server->requests++];

            if (answer == NULL || write(line, answer, strlen(answer)) < 0 ||
                strstr(answer, "Connection: close") != NULL)
                break;
        }
        close(line);
    }
    return NULL;
}

/* receive_bytes: so little is taken from a client before it is read; 0: as usual */
static inline void server_listen(struct server *server, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_bytes > 0)
        setsockopt(server->listener, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(int));
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
}

static inline void server_start(struct server *server, const char *const *script, int count)
{
    server_listen(server, 0);
    server->script = script;
    server->script_count = count;
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static inline void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    close(server->listener);
    pthread_join(server->thread, NULL);
}

#endif
