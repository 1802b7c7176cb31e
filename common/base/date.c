#include "base/date.h"

#include <string.h>

/* The rest of the text. */
struct cursor {
    const char *at;
    const char *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && *cursor->at == ' ')
        cursor->at++;
}

static int skip_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return -1;
    cursor->at++;
    return 0;
}

/* Reads a number that has from least to most digits. */
static int read_number(struct cursor *cursor, int least, int most, int *value)
{
    int count = 0;

    *value = 0;
    while (count < most && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        *value = *value * 10 + (*cursor->at++ - '0');
        count++;
    }
    return count >= least ? 0 : -1;
}

static int read_month(struct cursor *cursor, int *month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    char name[3];

    if (cursor->end - cursor->at < 3)
        return -1;
    for (int i = 0; i < 3; i++)
        name[i] = (char)(*cursor->at++ | 0x20);
    for (int i = 0; i < 12; i++)
        if (memcmp(names + i * 3, name, 3) == 0) {
            *month = i + 1;
            return 0;
        }
    return -1;
}

static int read_zone(struct cursor *cursor, int *minutes)
{
    static const char *const universal[] = {"GMT", "UTC", "UT", "Z"};
    struct text rest = {cursor->at, (size_t)(cursor->end - cursor->at)};
    int sign, hours;

    for (size_t i = 0; i < sizeof(universal) / sizeof(universal[0]); i++)
        if (text_is(rest, universal[i])) {
            cursor->at = cursor->end;
            *minutes = 0;
            return 0;
        }
    if (rest.length < 5)
        return -1;
    sign = *cursor->at == '-' ? -1 : 1;
    if (*cursor->at != '+' && *cursor->at != '-')
        return -1;
    cursor->at++;
    if (read_number(cursor, 2, 2, &hours) != 0 || read_number(cursor, 2, 2, minutes) != 0 ||
        *minutes > 59)
        return -1;
    *minutes = sign * (hours * 60 + *minutes);
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the Gregorian calendar. The calculation lets a year begin in March and
 * takes 400 years as one era. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

int date_parse_rfc2822(struct text text, int64_t *at_ms)
{
    struct cursor cursor;
    int day, month, year, hour, minute, second = 0, zone;

    if (text.data == NULL)
        return -1;
    cursor = (struct cursor){text.data, text.data + text.length};
    if (text.length > 4 && text.data[3] == ',')
        cursor.at += 4;
    skip_blanks(&cursor);
    if (read_number(&cursor, 1, 2, &day) != 0 || skip_char(&cursor, ' ') != 0 ||
        read_month(&cursor, &month) != 0 || skip_char(&cursor, ' ') != 0 ||
        read_number(&cursor, 4, 4, &year) != 0 || skip_char(&cursor, ' ') != 0 ||
        read_number(&cursor, 2, 2, &hour) != 0 || skip_char(&cursor, ':') != 0 ||
        read_number(&cursor, 2, 2, &minute) != 0)
        return -1;
    if (skip_char(&cursor, ':') == 0 && read_number(&cursor, 2, 2, &second) != 0)
        return -1;
    skip_blanks(&cursor);
    if (read_zone(&cursor, &zone) != 0 || cursor.at != cursor.end)
        return -1;
    if (day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60)
        return -1;
    *at_ms = ((days_from_date(year, month, day) * 24 + hour) * 60 + minute - zone) * 60000 +
             (int64_t)second * 1000;
    return 0;
}

int date_parse_utc(struct text text, int64_t *at_ms)
{
    static const char form[] = "0000-00-00T00:00:00";
    int part[6] = {0}, number = 0;

    if (text.length < sizeof(form) || text.length > 25)
        return -1;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        char c = text.data[i];

        if (form[i] == '0' ? c < '0' || c > '9' : c != form[i])
            return -1;
        if (form[i] == '0')
            part[number] = part[number] * 10 + (c - '0');
        else
            number++;
    }
    text = (struct text){text.data + sizeof(form) - 1, text.length - (sizeof(form) - 1)};
    if (!(text.length == 1 && text.data[0] == 'Z') &&
        !(text.length == 6 && memcmp(text.data, "+00:00", 6) == 0))
        return -1;
    if (part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > days_in_month(part[0], part[1]) ||
        part[3] > 23 || part[4] > 59 || part[5] > 60)
        return -1;
    *at_ms = (((days_from_date(part[0], part[1], part[2]) * 24 + part[3]) * 60 + part[4]) * 60 +
              part[5]) *
             1000;
    return 0;
}

static char *print_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

char *date_print_iso(char target[DATE_ISO_BYTES], int64_t at_ms)
{
    int64_t seconds = at_ms >= 0 ? at_ms / 1000 : (at_ms - 999) / 1000;
    int64_t days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400;
    int rest = (int)(seconds - days * 86400);
    int64_t era = (days + 719468 >= 0 ? days + 719468 : days + 719468 - 146096) / 146097;
    int64_t day_of_era = days + 719468 - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    char *at = target;

    at = print_digits(at, (int)((year_of_era + era * 400 + (month <= 2)) % 10000), 4);
    *at++ = '-';
    at = print_digits(at, month, 2);
    *at++ = '-';
    at = print_digits(at, (int)(day_of_year - (153 * shifted + 2) / 5 + 1), 2);
    *at++ = 'T';
    at = print_digits(at, rest / 3600, 2);
    *at++ = ':';
    at = print_digits(at, rest / 60 % 60, 2);
    *at++ = ':';
    at = print_digits(at, rest % 60, 2);
    memcpy(at, "Z", 2);
    return target;
}
