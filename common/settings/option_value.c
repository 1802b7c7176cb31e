/* option_value.c - turns the text of a setting into its value and checks it, by the type and range
 * of its row in the table. */
#include "settings/option.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "settings/config.h"
#include "settings/mask.h"
#include "settings/redis_url.h"

enum { SECRET_BYTES_MAX = 8192 };

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static int bad_value(const struct setting *setting, struct error *err)
{
    char shown[64];

    snprintf(shown, sizeof(shown), "%.60s", setting->value);
    return error_set(err, ERROR_PERMANENT, "%s = %s: allowed: %s", setting->where, shown,
                     setting->option->range);
}

void option_shown(char *target, size_t size, const struct setting *setting)
{
    const char *range = setting->option->range;

    if (strcmp(range, "url") == 0 || strcmp(range, "proxy") == 0)
        mask_url(target, size, setting->value);
    else
        snprintf(target, size, "%s", setting->value);
}

static int parse_int(const char *text, const char *range, int64_t *value)
{
    char *end;
    long long low = strtoll(range, &end, 10);
    long long high = strtoll(end + 2, NULL, 10);
    long long parsed;

    errno = 0;
    parsed = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)text[0]))
        return -1;
    if (parsed < low || parsed > high)
        return -1;
    *value = parsed;
    return 0;
}

static int parse_ints(const char *text, const char *range, int64_t values[3])
{
    char piece[32];

    for (int i = 0; i < 3; i++) {
        size_t length = strcspn(text, ",");

        if (length >= sizeof(piece) || (i < 2) != (text[length] == ','))
            return -1;
        snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
        if (parse_int(piece, range, &values[i]) != 0 || (i > 0 && values[i] < values[i - 1]))
            return -1;
        text += length + (text[length] == ',');
    }
    return 0;
}

static int parse_enum(const char *text, const char *range, int *value)
{
    int index = 0;
    size_t length = strlen(text);

    for (const char *word = range; *word != '\0'; index++) {
        size_t word_length = strcspn(word, "|");

        if (word_length == length && memcmp(word, text, length) == 0) {
            *value = index;
            return 0;
        }
        word += word_length + (word[word_length] == '|');
    }
    return -1;
}

static int parse_statuses(const char *text, uint32_t *mask)
{
    static const uint32_t allowed =
        1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 14;
    char piece[8];

    *mask = 0;
    while (*text != '\0') {
        int64_t id;
        size_t length = strcspn(text, ",");

        if (length >= sizeof(piece))
            return -1;
        snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
        if (parse_int(piece, "0..14", &id) != 0 || !(allowed & 1u << id))
            return -1;
        *mask |= 1u << id;
        text += length + (text[length] == ',');
        text += strspn(text, " ");
    }
    return *mask == 0 ? -1 : 0;
}

/* Reads now (-1), all (0), or an ISO 8601 date or UTC time (ms since 1970). */
static int parse_start(const char *text, int64_t *start_ms)
{
    struct tm time = {0};
    const char *end;

    *start_ms = strcmp(text, "now") == 0 ? -1 : 0;
    if (strcmp(text, "now") == 0 || strcmp(text, "all") == 0)
        return 0;
    end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &time);
    if (end == NULL || *end != '\0') {
        memset(&time, 0, sizeof(time));
        end = strptime(text, "%Y-%m-%d", &time);
    }
    if (end == NULL || *end != '\0')
        return -1;
    *start_ms = (int64_t)timegm(&time) * 1000;
    return *start_ms > 0 ? 0 : -1;
}

int option_is_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= 40 && strspn(text, LETTERS_AND_DIGITS "_-") == length;
}

/* Nothing, or http://host:port. A login is refused: it would go over the network as plain text. */
static int is_proxy(const char *text)
{
    const char *host = text + 7;
    const char *port;

    if (text[0] == '\0')
        return 1;
    if (strncmp(text, "http://", 7) != 0)
        return 0;
    port = strrchr(host, ':');
    return port != NULL && port > host && port[1] != '\0' &&
           strspn(port + 1, "0123456789") == strlen(port + 1) &&
           strspn(host, LETTERS_AND_DIGITS "-._:[]") == strlen(host);
}

int option_is_template(const char *text, const char *range)
{
    size_t length = strlen(text);
    int words = 0;

    if (strcmp(text, "off") == 0)
        return 1;
    for (const char *c = text; *c != '\0'; c++) {
        size_t word = strcspn(c, "}") + 1;
        char braced[32];

        if ((unsigned char)*c < 0x20 || *c == '}')
            return 0;
        if (*c != '{')
            continue;
        if (c[word - 1] != '}' || word >= sizeof(braced))
            return 0;
        snprintf(braced, sizeof(braced), "%.*s", (int)word, c);
        if (strstr(range, braced) == NULL)
            return 0;
        words++;
        c += word - 1;
    }
    return words > 0 && length <= 255;
}

static int text_allowed(const char *text, const char *range)
{
    size_t length = strlen(text);

    if (strchr(range, '{') != NULL)
        return option_is_template(text, range);
    if (strcmp(range, "name") == 0)
        return option_is_name(text);
    if (strcmp(range, "id") == 0)
        return length <= 20 && strspn(text, "0123456789") == length;
    if (strcmp(range, "hash") == 0)
        return length > 0 && length <= 64 &&
               strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == length;
    if (strcmp(range, "currency") == 0)
        return length == 0 || (length == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length);
    if (strcmp(range, "url") == 0)
        return strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
    if (strcmp(range, "proxy") == 0)
        return is_proxy(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20)
            return 0;
    return 1;
}

int option_is_plain_http(const char *url)
{
    const char *host, *end;
    char text[64];
    struct in_addr v4;

    if (strncmp(url, "http://", 7) != 0)
        return 0;
    host = url + 7;
    end = host + strcspn(host, "/?#");
    for (const char *c = host; c < end; c++)
        if (*c == '@') /* what is in front of the @ is a login */
            host = c + 1;
    if (end - host >= 5 && strncmp(host, "[::1]", 5) == 0)
        return !(host + 5 == end || host[5] == ':');
    snprintf(text, sizeof(text), "%.*s", (int)(end - host), host);
    text[strcspn(text, ":")] = '\0';
    return strcasecmp(text, "localhost") != 0 &&
           (inet_pton(AF_INET, text, &v4) != 1 || ntohl(v4.s_addr) >> 24 != 127);
}

const char *option_range_text(const char *range)
{
    if (strcmp(range, "name") == 0)
        return "1 to 40 letters, digits, - and _";
    if (strcmp(range, "hash") == 0)
        return "lower-case letters and digits";
    if (strcmp(range, "id") == 0)
        return "1 to 20 digits, or nothing";
    if (strcmp(range, "currency") == 0)
        return "three capital letters, or nothing";
    if (strcmp(range, "url") == 0)
        return "http://... or https://...";
    if (strcmp(range, "proxy") == 0)
        return "http://host:port without a login, or nothing";
    if (strcmp(range, "redis-url") == 0)
        return REDIS_URL_FORM;
    if (strcmp(range, "line") == 0)
        return "one line of text";
    if (strcmp(range, "readable") == 0)
        return "a readable file, or nothing";
    if (strcmp(range, "file") == 0)
        return "a readable file with 1 to 8192 bytes";
    if (strcmp(range, "state-file") == 0)
        return "a file in a folder that the program may write to, or nothing";
    return range;
}

FILE *option_open(const char *path)
{
    FILE *file = fopen(path, "r");
    struct stat about;

    if (file == NULL || fstat(fileno(file), &about) != 0 || !S_ISDIR(about.st_mode))
        return file;
    fclose(file);
    errno = EISDIR;
    return NULL;
}

const char *option_open_why(int code)
{
    return code == EISDIR ? "it is a folder (Docker makes one where the file to mount is missing)"
                          : strerror(code);
}

int option_read_secret(const char *path, char **content, struct error *err)
{
    char bytes[SECRET_BYTES_MAX + 1];
    FILE *file = option_open(path);
    size_t length, start = 0;

    *content = NULL;
    if (file == NULL)
        return error_set(err, ERROR_PERMANENT, "%.80s: %s; allowed: %s", path,
                         option_open_why(errno), option_range_text("file"));
    length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    if (length > SECRET_BYTES_MAX)
        length = 0;
    while (length > 0 && isspace((unsigned char)bytes[length - 1]))
        length--;
    while (start < length && isspace((unsigned char)bytes[start]))
        start++;
    if (start < length && memchr(bytes + start, '\n', length - start) == NULL &&
        memchr(bytes + start, '\r', length - start) == NULL)
        *content = mem_strndup(bytes + start, length - start);
    explicit_bzero(bytes, sizeof(bytes));
    if (*content == NULL)
        return error_set(err, ERROR_PERMANENT,
                         "%.80s: empty, too long or several lines; allowed: %s", path,
                         option_range_text("file"));
    return 0;
}

static int store_secret(const struct setting *setting, char **text, int program, struct error *err)
{
    *text = mem_strdup(setting->value);
    if (setting->value[0] == '\0' || !(setting->option->programs & program) ||
        option_read_secret(setting->value, text + 1, err) == 0)
        return 0;
    if (program & PROGRAM_DOCTOR) {
        error_clear(err);
        return 0;
    }
    return error_prefix(err, "%s = ", setting->where);
}

/* The message does not show the value, because it may hold a password. */
static int check_redis_url(const struct setting *setting, struct error *err)
{
    struct redis_url url = {0};
    int rc = redis_url_parse(&url, setting->value, err);

    if (rc == 0 && url.tls && !redis_url_tls_available())
        rc = error_set(err, ERROR_PERMANENT, "rediss:// is refused: %s", REDIS_URL_NO_TLS);
    redis_url_clear(&url);
    return rc == 0 ? 0 : error_prefix(err, "%s: ", setting->where);
}

/* Checks that a file can be read. The program reads it later, each time it connects. */
static int check_readable(const struct setting *setting, struct error *err)
{
    if (setting->value[0] == '\0' || access(setting->value, R_OK) == 0)
        return 0;
    return error_set(err, ERROR_PERMANENT, "%s = %.80s: %s; allowed: %s", setting->where,
                     setting->value, strerror(errno), option_range_text("readable"));
}

/* Checks that a file can be replaced: a new one is written beside it and renamed. So its folder must
 * be writable, and the file readable where there is one. */
static int check_state_file(const struct setting *setting, struct error *err)
{
    char *copy;
    int code = 0;

    if (setting->value[0] == '\0')
        return 0;
    copy = mem_strdup(setting->value);
    if (access(dirname(copy), W_OK | X_OK) != 0 ||
        (access(setting->value, R_OK) != 0 && errno != ENOENT))
        code = errno;
    free(copy);
    if (code == 0)
        return 0;
    return error_set(err, ERROR_PERMANENT, "%s = %.80s cannot be written: %s; allowed: %s",
                     setting->where, setting->value, strerror(code),
                     option_range_text("state-file"));
}

static int store_text(const struct setting *setting, char **target, int program, struct error *err)
{
    const char *range = setting->option->range;
    size_t length = strlen(setting->value);
    char shown[64];

    if (strcmp(range, "redis-url") == 0) {
        if (check_redis_url(setting, err) != 0)
            return -1;
    } else if (strcmp(range, "readable") == 0 && (setting->option->programs & program) != 0) {
        if (check_readable(setting, err) != 0)
            return -1;
    } else if (strcmp(range, "state-file") == 0 && (setting->option->programs & program) != 0) {
        if (check_state_file(setting, err) != 0)
            return -1;
    } else if (!text_allowed(setting->value, range)) {
        option_shown(shown, sizeof(shown), setting);
        return error_set(err, ERROR_PERMANENT, "%s = %s: allowed: %s", setting->where, shown,
                         option_range_text(range));
    }
    while (strcmp(range, "url") == 0 && length > 0 && setting->value[length - 1] == '/')
        length--;
    *target = mem_strndup(setting->value, length);
    return 0;
}

int option_apply(const struct setting *setting, char *base, int program, struct error *err)
{
    const struct config_option *option = setting->option;
    char *place = base + option->offset;
    char **text = (char **)(void *)place;

    switch (option->type) {
    case OPTION_TEXT:
        return store_text(setting, text, program, err);
    case OPTION_INT:
        if (parse_int(setting->value, option->range, (int64_t *)(void *)place) != 0)
            return bad_value(setting, err);
        return 0;
    case OPTION_INTS:
        if (parse_ints(setting->value, option->range, (int64_t *)(void *)place) != 0)
            return bad_value(setting, err);
        return 0;
    case OPTION_ENUM:
        if (parse_enum(setting->value, option->range, (int *)(void *)place) != 0)
            return bad_value(setting, err);
        return 0;
    case OPTION_STATUSES:
        if (parse_statuses(setting->value, (uint32_t *)(void *)place) != 0)
            return bad_value(setting, err);
        return 0;
    case OPTION_START:
        *text = mem_strdup(setting->value);
        if (parse_start(setting->value, (int64_t *)(void *)(place + sizeof(char *))) != 0)
            return bad_value(setting, err);
        return 0;
    case OPTION_SECRET:
        return store_secret(setting, text, program, err);
    }
    return 0;
}
