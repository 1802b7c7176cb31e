#include "dates.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Reads a time zone: "Z", "+01:00" or "-0400". Returns the text behind it, or NULL. */
static const char *parse_zone(const char *text, int64_t *offset_s)
{
    int sign, hours, minutes, used = 0;

    *offset_s = 0;
    if (*text == 'Z' || *text == 'z')
        return text + 1;
    if (*text != '+' && *text != '-')
        return NULL;
    sign = *text == '-' ? -1 : 1;
    text++;
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)text[i + (i > 1 && text[2] == ':')]))
            return NULL;
    if (sscanf(text, text[2] == ':' ? "%2d:%2d%n" : "%2d%2d%n", &hours, &minutes, &used) != 2)
        return NULL;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return text + used;
}

/* Reads the fraction of a second behind the point, in ms. Returns the text behind it. */
static const char *parse_fraction(const char *text, int64_t *ms)
{
    int scale = 100;

    *ms = 0;
    if (*text != '.' || !isdigit((unsigned char)text[1]))
        return text;
    for (text++; isdigit((unsigned char)*text); text++, scale /= 10)
        *ms += (*text - '0') * scale;
    return text;
}

int date_parse_iso(const char *text, int64_t *ms)
{
    struct tm tm = {0};
    int64_t fraction, offset;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (rest == NULL || !isdigit((unsigned char)text[3]))
        return -1;
    rest = parse_fraction(rest, &fraction);
    rest = parse_zone(rest, &offset);
    if (rest == NULL || *rest != '\0')
        return -1;
    *ms = ((int64_t)timegm(&tm) - offset) * 1000 + fraction;
    return 0;
}

int date_parse(const char *text, int64_t *seconds)
{
    struct tm tm = {0};
    int64_t ms, offset;
    const char *rest;

    if (date_parse_iso(text, &ms) == 0) {
        *seconds = ms / 1000;
        return 0;
    }
    rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest != NULL && (*rest == 'T' || *rest == ' '))
        rest = strptime(rest + 1, "%H:%M:%S", &tm);
    if (rest != NULL && *rest == '\0') {
        *seconds = timegm(&tm);
        return 0;
    }
    memset(&tm, 0, sizeof tm);
    rest = strptime(text, "%a, %d %b %Y %H:%M:%S ", &tm);
    if (rest == NULL || rest[-1] != ' ')
        return -1;
    if (strcmp(rest, "GMT") == 0)
        offset = 0, rest += 3;
    else
        rest = parse_zone(rest, &offset);
    if (rest == NULL || *rest != '\0')
        return -1;
    *seconds = (int64_t)timegm(&tm) - offset;
    return 0;
}

static const char *format(char *target, const char *pattern, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    gmtime_r(&t, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    strftime(target, DATE_SIZE, pattern, &tm);
#pragma GCC diagnostic pop
    return target;
}

const char *date_rfc2822(char *target, int64_t seconds)
{
    return format(target, "%a, %d %b %Y %H:%M:%S +0000", seconds);
}

const char *date_http(char *target, int64_t seconds)
{
    return format(target, "%a, %d %b %Y %H:%M:%S GMT", seconds);
}

const char *date_iso(char *target, int64_t ms)
{
    size_t length;

    format(target, "%Y-%m-%dT%H:%M:%S", ms / 1000);
    length = strlen(target);
    snprintf(target + length, DATE_SIZE - length, ".%03dZ", (int)(ms % 1000));
    return target;
}
