#include "net/health_ask.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 3, HOST_BYTES = 128 };

/* Where a server that listens on every address is to be asked. */
static const char *host_to_ask(const char *host)
{
    if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

/* @returns a connected socket, or -1 with an error */
static int connect_to(const char *host, const char *port, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    int fd, code;

    if (getaddrinfo(host, port, &hints, &address) != 0)
        return error_set(err, ERROR_PERMANENT, "%s:%s: no such address", host, port);
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* On Linux the limit of sending is that of connecting too. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
        connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        code = errno;
        error_set(err, ERROR_TEMPORARY, "%s:%s: %s", host, port,
                  code == EINPROGRESS ? "no answer" : strerror(code));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(address);
    return fd;
}

/* Asks and reads the beginning of the answer, which has the status. */
static int ask(int fd, struct error *err)
{
    static const char request[] =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[16] = "";
    size_t length = 0;

    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1)
        return error_set(err, ERROR_TEMPORARY, "/healthz: %s", strerror(errno));
    while (length < sizeof(answer) - 1) {
        ssize_t got = recv(fd, answer + length, sizeof(answer) - 1 - length, 0);

        if (got <= 0)
            return error_set(err, ERROR_TEMPORARY, "/healthz: %s",
                             got == 0 ? "the connection ended" : "no answer");
        length += (size_t)got;
    }
    if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
        return error_set(err, ERROR_TEMPORARY, "/healthz answers %.15s", answer);
    return 0;
}

int health_ask(const struct config *config, struct error *err)
{
    const char *listen = config->health.listen;
    const char *colon = strrchr(listen, ':');
    char host[HOST_BYTES];
    int fd, rc;

    if (strcmp(listen, "off") == 0)
        return error_set(err, ERROR_PERMANENT,
                         "[health] listen is off, so nothing can be asked; allowed: host:port");
    if (colon == NULL || (size_t)(colon - listen) >= sizeof(host))
        return error_set(err, ERROR_PERMANENT, "[health] listen = %.60s: allowed: host:port or off",
                         listen);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
    fd = connect_to(host_to_ask(host), colon + 1, err);
    if (fd < 0)
        return -1;
    rc = ask(fd, err);
    close(fd);
    return rc;
}
