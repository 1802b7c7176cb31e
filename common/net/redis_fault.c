#include "net/redis_fault.h"

#include <stddef.h>
#include <string.h>

/* Codes at the beginning of an error reply that are about the server. */
static const char *const server_codes[] = {
    "READONLY", "MASTERDOWN", "LOADING",   "NOREPLICAS",   "MISCONF",     "OOM",
    "BUSY",     "NOAUTH",     "WRONGPASS", "DENIED",       "TRYAGAIN",    "MOVED",
    "ASK",      "CROSSSLOT",  "UNBLOCKED", "NOMASTERLINK", "CLUSTERDOWN",
};

/* Errors about the server that have no code of their own. */
static const char *const server_sentences[] = {
    "max number of clients reached",
    "max number of clients + cluster",   /* "... cluster connections reached" */
    "the command on a stale replica",    /* a script on a replica without its master */
    "write against a read only replica", /* Redis before 5 says "slave" */
    "write against a read only slave",
    "invalid password",                /* answer to AUTH with a user before Redis 6 */
    "without any password configured", /* answer to AUTH where no password is set */
};

static int begins_with_code(const char *text, const char *code)
{
    size_t length = strlen(code);

    return strncmp(text, code, length) == 0 && (text[length] == ' ' || text[length] == '\0');
}

/* Finds the error of a command that a script ran, in the form in which Redis before 7 passes it on.
 * NULL: there is none. */
static const char *passed_on(const char *text)
{
    static const char front[] = "ERR Error running script";
    const char *inner = NULL;

    if (strncmp(text, front, sizeof(front) - 1) != 0)
        return NULL;
    /* the form is "...: @user_script:12: @user_script: 12: -CODE text", or without the '-' */
    for (const char *at = text; (at = strstr(at, ": ")) != NULL; at += 2) {
        const char *next = at + 2;

        next += *next == '-';
        if (*next >= 'A' && *next <= 'Z') {
            inner = next;
            break;
        }
    }
    return inner;
}

enum redis_fault redis_fault_of(const char *text)
{
    const char *inner;

    if (*text == '-')
        text++;
    if (begins_with_code(text, "WRONGTYPE") || begins_with_code(text, "DAMAGED"))
        return REDIS_FAULT_ENTRY;
    inner = passed_on(text);
    if (inner != NULL)
        return redis_fault_of(inner);
    for (size_t i = 0; i < sizeof(server_codes) / sizeof(*server_codes); i++) {
        if (begins_with_code(text, server_codes[i]))
            return REDIS_FAULT_SERVER;
    }
    for (size_t i = 0; i < sizeof(server_sentences) / sizeof(*server_sentences); i++) {
        if (strstr(text, server_sentences[i]) != NULL)
            return REDIS_FAULT_SERVER;
    }
    return REDIS_FAULT_COMMAND;
}
