#include "settings/redis_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DB_MAX = 1 << 20, PORT_DEFAULT = 6379 };

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int redis_url_tls_available(void)
{
#ifdef BIGFUSION_REDIS_TLS
    return 1;
#else
    return 0;
#endif
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A copy in which each %XX is decoded, or NULL where one is malformed. */
static char *decode(const char *text, size_t length)
{
    char *copy = mem_strndup(text, length);
    char *target = copy;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%') {
            int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

            if (low < 0 || (high == 0 && low == 0)) {
                explicit_bzero(copy, length);
                free(copy);
                return NULL;
            }
            *target++ = (char)(high * 16 + low);
            i += 2;
        } else {
            *target++ = text[i];
        }
    }
    *target = '\0';
    return copy;
}

/* Reads a whole number from 0 to max; -1 for anything else. */
static int small_number(const char *text, size_t length, int max)
{
    int value = 0;

    if (length == 0 || length > 9)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value <= max ? value : -1;
}

/* Reads [user[:password]@] in front of rest and moves *rest behind it. The search ends at end. */
static int parse_login(struct redis_url *url, const char **rest, const char *end)
{
    const char *at = NULL;
    const char *colon;

    for (const char *c = *rest; c < end; c++) {
        if (*c == '@')
            at = c;
    }
    if (at == NULL)
        return 0;
    colon = memchr(*rest, ':', (size_t)(at - *rest));
    if (colon == NULL)
        colon = at;
    if (colon > *rest && (url->user = decode(*rest, (size_t)(colon - *rest))) == NULL)
        return -1;
    if (colon < at && (url->password = decode(colon + 1, (size_t)(at - colon - 1))) == NULL)
        return -1;
    *rest = at + 1;
    return 0;
}

/* Reads a name, an IPv4 address, or an IPv6 address in brackets, and moves *rest behind it. */
static int parse_host(struct redis_url *url, const char **rest)
{
    static const char v6[] = "0123456789abcdefABCDEF:.";
    const char *begin = *rest;
    size_t length;

    if (*begin == '[') {
        begin++;
        length = strspn(begin, v6);
        if (begin[length] == '%') /* the address has a zone, e.g. fe80::1%eth0 */
            length += strspn(begin + length, LETTERS_AND_DIGITS "%-._");
        if (begin[length] != ']' || memchr(begin, ':', length) == NULL)
            return -1;
        *rest = begin + length + 1;
    } else {
        length = strspn(begin, LETTERS_AND_DIGITS "-._");
        *rest = begin + length;
    }
    if (length == 0)
        return -1;
    url->host = mem_strndup(begin, length);
    return 0;
}

/* Reads what follows redis:// or rediss://. @returns the name of the part that is wrong, or NULL */
static const char *parse_tcp(struct redis_url *url, const char *text, const char *rest)
{
    size_t length;

    if (parse_login(url, &rest, rest + strcspn(rest, "/")) != 0)
        return "login";
    url->address_offset = (size_t)(rest - text);
    if (parse_host(url, &rest) != 0)
        return "host";
    url->port = PORT_DEFAULT;
    if (*rest == ':') {
        length = strcspn(++rest, "/");
        url->port = small_number(rest, length, 65535);
        rest += length;
    }
    if (url->port <= 0)
        return "port";
    if (*rest != '\0' && *rest != '/')
        return "host";
    if (*rest == '/' && rest[1] != '\0')
        url->db = small_number(rest + 1, strlen(rest + 1), DB_MAX);
    return url->db < 0 ? "database number" : NULL;
}

static const char *parse_unix(struct redis_url *url, const char *text, const char *rest)
{
    const char *end;

    /* A path may contain '@', so a login is looked for only in front of the first '/'. */
    if (parse_login(url, &rest, rest + strcspn(rest, "/")) != 0)
        return "login";
    url->address_offset = (size_t)(rest - text);
    if (*rest != '/')
        return "path";
    end = rest + strcspn(rest, "?");
    url->path = mem_strndup(rest, (size_t)(end - rest));
    if (strncmp(end, "?db=", 4) == 0)
        url->db = small_number(end + 4, strlen(end + 4), DB_MAX);
    else if (*end != '\0')
        return "end";
    return url->db < 0 ? "database number" : NULL;
}

static int is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return 0;
    }
    return 1;
}

int redis_url_parse(struct redis_url *url, const char *text, struct error *err)
{
    const char *wrong = "scheme";

    if (!is_printable(text)) {
        wrong = "blank or control character";
    } else if (strncmp(text, "redis://", 8) == 0) {
        wrong = parse_tcp(url, text, text + 8);
    } else if (strncmp(text, "rediss://", 9) == 0) {
        url->tls = 1;
        wrong = parse_tcp(url, text, text + 9);
    } else if (strncmp(text, "unix://", 7) == 0) {
        wrong = parse_unix(url, text, text + 7);
    }
    if (wrong == NULL)
        return 0;
    redis_url_clear(url);
    return error_set(err, ERROR_PERMANENT, "the %s is wrong; allowed: %s", wrong, REDIS_URL_FORM);
}

void redis_url_clear(struct redis_url *url)
{
    free(url->host);
    free(url->path);
    if (url->user != NULL)
        explicit_bzero(url->user, strlen(url->user));
    free(url->user);
    if (url->password != NULL)
        explicit_bzero(url->password, strlen(url->password));
    free(url->password);
    *url = (struct redis_url){0};
}
