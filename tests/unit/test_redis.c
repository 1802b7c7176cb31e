/* The pure parts of the connection to Redis: addresses, and what error replies are about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/redis.h"
#include "net/redis_fault.h"

static int same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void test_urls(void **state)
{
    static const struct {
        const char *text;
        int rc;
        struct redis_url url;
    } cases[] = {
        {"redis://localhost", 0, {.host = (char *)"localhost", .port = 6379}},
        {"redis://localhost/", 0, {.host = (char *)"localhost", .port = 6379}},
        {"redis://localhost:6380/3", 0, {.host = (char *)"localhost", .port = 6380, .db = 3}},
        {"redis://[::1]:1/0", 0, {.host = (char *)"::1", .port = 1}},
        {"redis://[::1]", 0, {.host = (char *)"::1", .port = 6379}},
        {"redis://:p@h", 0, {.host = (char *)"h", .port = 6379, .password = (char *)"p"}},
        {"redis://u:p%40%2f@h:9",
         0,
         {.host = (char *)"h", .port = 9, .user = (char *)"u", .password = (char *)"p@/"}},
        {"redis://u:a@b:c@h",
         0,
         {.host = (char *)"h", .port = 6379, .user = (char *)"u", .password = (char *)"a@b:c"}},
        {"redis://u@h", 0, {.host = (char *)"h", .port = 6379, .user = (char *)"u"}},
        {"redis://%75%3a:p@h",
         0,
         {.host = (char *)"h", .port = 6379, .user = (char *)"u:", .password = (char *)"p"}},
        {"redis://:p@ss#w;o@[fe80::1%eth0]:1/2",
         0,
         {.host = (char *)"fe80::1%eth0", .port = 1, .password = (char *)"p@ss#w;o", .db = 2}},
        {"rediss://u:p@redis.example.com/1",
         0,
         {.tls = 1,
          .host = (char *)"redis.example.com",
          .port = 6379,
          .user = (char *)"u",
          .password = (char *)"p",
          .db = 1}},
        {"unix:///run/redis.sock", 0, {.path = (char *)"/run/redis.sock"}},
        {"unix:///run/a@b.sock?db=2", 0, {.path = (char *)"/run/a@b.sock", .db = 2}},
        {"unix://:p@/run/r.sock", 0, {.path = (char *)"/run/r.sock", .password = (char *)"p"}},
        {"", -1, {0}},
        {"localhost:6379", -1, {0}},
        {"rediss:/localhost", -1, {0}},
        {"http://localhost", -1, {0}},
        {"redis://127.0.0.1:6379/0 ; the ledger", -1, {0}},
        {"redis://:p@ss/w#o;rd@127.0.0.1:6379/0", -1, {0}},
        {"redis://u:p w@h", -1, {0}},
        {"redis://h,g:6379", -1, {0}},
        {"redis://h:6379,g:6379", -1, {0}},
        {"redis://u@", -1, {0}},
        {"redis://[localhost]", -1, {0}},
        {"redis://[]", -1, {0}},
        {"redis://%75:p%@h", -1, {0}},
        {"redis://", -1, {0}},
        {"redis://:6379", -1, {0}},
        {"redis://h:0", -1, {0}},
        {"redis://h:65536", -1, {0}},
        {"redis://h:", -1, {0}},
        {"redis://h:1x", -1, {0}},
        {"redis://h/x", -1, {0}},
        {"redis://h/-1", -1, {0}},
        {"redis://h/99999999999", -1, {0}},
        {"redis://h?db=1", -1, {0}},
        {"redis://[::1", -1, {0}},
        {"redis://[::1]x", -1, {0}},
        {"redis://:p%4@h", -1, {0}},
        {"redis://:p%zz@h", -1, {0}},
        {"redis://:p%00@h", -1, {0}},
        {"unix://run/redis.sock", -1, {0}},
        {"unix:///r?db=", -1, {0}},
        {"unix:///r?x=1", -1, {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct redis_url *want = &cases[i].url;
        struct redis_url url = {0};
        struct error err = {0};
        int rc = redis_url_parse(&url, cases[i].text, &err);

        if (rc != cases[i].rc || !same(url.host, want->host) || url.port != want->port ||
            !same(url.path, want->path) || !same(url.user, want->user) ||
            !same(url.password, want->password) || url.db != want->db || url.tls != want->tls)
            fail_msg("%s: rc=%d host=%s port=%d path=%s db=%d", cases[i].text, rc, url.host,
                     url.port, url.path, url.db);
        assert_int_equal(err.kind, rc == 0 ? ERROR_NONE : ERROR_PERMANENT);
        /* A fault tells the form and shows nothing of what was given. */
        if (rc != 0 && (strstr(err.text, "allowed: redis://[user[:password]@]host") == NULL ||
                        strstr(err.text, "ss/w") != NULL || strstr(err.text, "127.0") != NULL))
            fail_msg("%s: %s", cases[i].text, err.text);
        redis_url_clear(&url);
    }
}

/* Spelled as the servers do: 7.0 puts the code in front and the place behind, 6.2 and older wrap
 * what a command inside a script said. */
static void test_faults(void **state)
{
    static const struct {
        const char *text;
        enum redis_fault fault;
    } cases[] = {
        {"READONLY You can't write against a read only replica.", REDIS_FAULT_SERVER},
        {"READONLY You can't write against a read only replica. script: "
         "3c40e08ef5bb0f7dd5b2e6dbb4f9ba5a1a2f3cc4, on @user_script:12.",
         REDIS_FAULT_SERVER},
        {"-READONLY You can't write against a read only replica.", REDIS_FAULT_SERVER},
        {"ERR Error running script (call to f_3c40e08ef5bb0f7dd5b2e6dbb4f9ba5a1a2f3cc4): "
         "@user_script:12: @user_script: 12: -READONLY You can't write against a read only "
         "replica. ",
         REDIS_FAULT_SERVER},
        {"ERR Error running script (call to f_3c40): @user_script:12: @user_script: 12: -OOM "
         "command "
         "not allowed when used memory > 'maxmemory'.",
         REDIS_FAULT_SERVER},
        {"ERR Error running script (call to f_3c40): @enable_strict_lua:15: user_script:1: Script "
         "attempted to access nonexistent global variable 'x'",
         REDIS_FAULT_COMMAND},
        {"ERR Write commands are not allowed from read-only scripts.", REDIS_FAULT_COMMAND},
        {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
         REDIS_FAULT_SERVER},
        {"ERR Can not execute the command on a stale replica script: 3c40, on @user_script:1.",
         REDIS_FAULT_SERVER},
        {"LOADING Redis is loading the dataset in memory", REDIS_FAULT_SERVER},
        {"ERR max number of clients reached", REDIS_FAULT_SERVER},
        {"NOREPLICAS Not enough good replicas to write.", REDIS_FAULT_SERVER},
        {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist "
         "to disk.",
         REDIS_FAULT_SERVER},
        {"OOM command not allowed when used memory > 'maxmemory'. script: 3c40, on @user_script:1.",
         REDIS_FAULT_SERVER},
        {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
         REDIS_FAULT_SERVER},
        {"BUSYGROUP Consumer Group name already exists", REDIS_FAULT_COMMAND},
        {"NOAUTH Authentication required.", REDIS_FAULT_SERVER},
        {"WRONGPASS invalid username-password pair or user is disabled.", REDIS_FAULT_SERVER},
        {"ERR invalid password", REDIS_FAULT_SERVER},
        {"DENIED Redis is running in protected mode because ...", REDIS_FAULT_SERVER},
        {"TRYAGAIN Multiple keys request during rehashing of slot", REDIS_FAULT_SERVER},
        {"CLUSTERDOWN Hash slot not served", REDIS_FAULT_SERVER},
        {"MOVED 3999 127.0.0.1:6381", REDIS_FAULT_SERVER},
        {"CROSSSLOT Keys in request don't hash to the same slot", REDIS_FAULT_SERVER},
        {"WRONGTYPE Operation against a key holding the wrong kind of value", REDIS_FAULT_ENTRY},
        {"WRONGTYPE Operation against a key holding the wrong kind of value script: 3c40, on "
         "@user_script:12.",
         REDIS_FAULT_ENTRY},
        {"ERR Error running script (call to f_3c40): @user_script:7: WRONGTYPE Operation against a "
         "key holding the wrong kind of value",
         REDIS_FAULT_ENTRY},
        {"DAMAGED state", REDIS_FAULT_ENTRY},
        {"NOSCRIPT No matching script. Please use EVAL.", REDIS_FAULT_COMMAND},
        {"NOPERM this user has no permissions to run the 'config|get' command",
         REDIS_FAULT_COMMAND},
        {"ERR unknown command 'CONFIG', with args beginning with: 'GET' 'READONLY' ",
         REDIS_FAULT_COMMAND},
        {"ERR value is not an integer or out of range", REDIS_FAULT_COMMAND},
        {"", REDIS_FAULT_COMMAND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        redisReply reply = {.type = REDIS_REPLY_ERROR, .str = (char *)cases[i].text};
        struct error err = {0};

        if (redis_fault_of(cases[i].text) != cases[i].fault)
            fail_msg("%s", cases[i].text);
        assert_int_equal(redis_reply_check(&reply, &err), -1);
        assert_int_equal(err.kind,
                         cases[i].fault == REDIS_FAULT_ENTRY ? ERROR_PERMANENT : ERROR_TEMPORARY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
