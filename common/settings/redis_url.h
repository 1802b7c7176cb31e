/* redis_url.h - the address of a Redis server, as the setting `[redis] url` spells it. Pure. */
#ifndef COMMON_REDIS_URL_H
#define COMMON_REDIS_URL_H

#include <stddef.h>

#include "base/error.h"

/* What is allowed, for people. */
#define REDIS_URL_FORM                                                                             \
    "redis://[user[:password]@]host[:port][/db], rediss:// (TLS) or unix:///path[?db=N]; %XX for " \
    "special characters of a login"

/* Why rediss:// is refused by a build without TLS, and what to do. */
#define REDIS_URL_NO_TLS                                                                           \
    "no TLS in this build's hiredis; build with hiredis 1.x (trixie, our image), or use redis://"

/** @brief Whether this build can do rediss://. */
int redis_url_tls_available(void);

/* How a Redis server is reached: the section [redis] of the settings. */
struct redis_server {
    char *url;           /* see redis_url_parse() */
    char *tls_ca_file;   /* the rest is for rediss://; NULL or "": the system's certificates */
    char *tls_cert_file; /* our own, for a server that asks for one; NULL or "": none */
    char *tls_key_file;  /* its key */
    char
        *tls_server_name; /* what its certificate must be made out to; NULL or "": the url's host */
};

/* A parsed address. Zero-initialise; release with redis_url_clear(). */
struct redis_url {
    int tls;        /* rediss:// */
    char *host;     /* TCP; else NULL. An IPv6 address without its brackets */
    int port;       /* 1..65535; 6379 where none is given */
    char *path;     /* unix socket; else NULL */
    char *user;     /* the ACL user; NULL: Redis' default user */
    char *password; /* NULL: no login, unless there is a user */
    int db;
    size_t address_offset; /* where in the text the host or the path begins, behind a login */
};

/**
 * @brief Reads an address of the form REDIS_URL_FORM. User and password may hold %XX. A login ends
 * at the last '@' in front of the first '/'.
 * @returns 0, or -1 with a permanent error that names the part which is wrong, and shows nothing of
 * the text: it may hold a password
 */
int redis_url_parse(struct redis_url *url, const char *text, struct error *err);
void redis_url_clear(struct redis_url *url);

#endif
