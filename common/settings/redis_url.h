/* redis_url.h - reads the address of a Redis server from the setting `[redis] url`. Pure. */
#ifndef COMMON_REDIS_URL_H
#define COMMON_REDIS_URL_H

#include <stddef.h>

#include "base/error.h"

/* The allowed forms, for messages. */
#define REDIS_URL_FORM                                                                             \
    "redis://[user[:password]@]host[:port][/db], rediss:// (TLS) or unix:///path[?db=N]; %XX for " \
    "special characters of a login"

/* The message of a build without TLS that refuses rediss://. */
#define REDIS_URL_NO_TLS                                                                           \
    "no TLS in this build's hiredis; build with hiredis 1.x (trixie, our image), or use redis://"

/** @brief Whether this build supports rediss://. */
int redis_url_tls_available(void);

/* The settings of section [redis] that say how the server is reached. */
struct redis_server {
    char *url;             /* see redis_url_parse() */
    char *password_file;   /* "": none; the url has the password, or no login is needed */
    char *password;        /* content of password_file, or NULL */
    char *tls_ca_file;     /* authority's certificates; NULL or "": the system's. This and the rest
                              are for rediss:// only */
    char *tls_cert_file;   /* our certificate, for a server that asks for one; NULL or "": none */
    char *tls_key_file;    /* the key of cert_file */
    char *tls_server_name; /* the name that the server's certificate must have; NULL or "": the
                              url's host */
};

/* A parsed address. Zero-initialise it, release it with redis_url_clear(). */
struct redis_url {
    int tls;        /* 1: rediss:// */
    char *host;     /* host for TCP, else NULL; an IPv6 address is without its brackets */
    int port;       /* 1..65535; 6379 where none is given */
    char *path;     /* path of a unix socket, else NULL */
    char *user;     /* the ACL user; NULL: Redis' default user */
    char *password; /* NULL: no login, unless there is a user */
    int db;
    size_t address_offset; /* where the host or the path begins in the text, behind a login */
};

/**
 * @brief Reads an address of the form REDIS_URL_FORM. User and password may contain %XX. A login
 * ends at the last '@' in front of the first '/'.
 * @returns 0, or -1 with a permanent error that names the wrong part. The message shows nothing of
 * the text, which may hold a password
 */
int redis_url_parse(struct redis_url *url, const char *text, struct error *err);
void redis_url_clear(struct redis_url *url);

#endif
