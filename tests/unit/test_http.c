/* test_http.c - the HTTP client against a scripted server on 127.0.0.1: what counts as an answer,
 * what may have been sent, and that only a GET is ever repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/http.h"
#include "http_server.h"

/* A client and its last answer. */
struct client {
    struct http *http;
    struct http_answer answer;
    struct error err;
    int64_t timeout_ms;
};

static int perform(struct client *client, const struct server *server, const char *method,
                   const char *body)
{
    const struct http_header headers[] = {{"X-Auth-Token", "secret"}};
    char *url = mem_printf("http://127.0.0.1:%d/a/b?email=x%%40y", server->port);
    struct http_request request = {.method = method,
                                   .url = url,
                                   .headers = headers,
                                   .header_count = 1,
                                   .body = text_of(body),
                                   .timeout_ms = client->timeout_ms,
                                   .max_answer_bytes = 1000};
    int result;

    error_clear(&client->err);
    result = http_perform(client->http, &request, &client->answer, &client->err);
    free(url);
    return result;
}

static void client_open(struct client *client)
{
    *client = (struct client){.http = http_new("test", NULL), .timeout_ms = 3000};
}

static void client_close(struct client *client)
{
    http_free(client->http);
    http_answer_clear(&client->answer);
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void sends_and_reads(void **state)
{
    static const char *const script[] = {
        /* two literals, one answer: the parentheses say that no comma is missing */
        ("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n"
         "X-Left:  7 \r\nX-Left: 8\r\nEmpty:\r\n\r\n{}"),
        "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n"};
    struct server server;
    struct client client;

    (void)state;
    server_start(&server, script, 3);
    client_open(&client);
    assert_int_equal(perform(&client, &server, "PATCH", "{\"a\":1}"), 0);
    assert_int_equal(client.answer.status, 201);
    assert_string_equal(client.answer.body.data, "{}");
    assert_true(text_is(http_answer_header(&client.answer, "x-left"), "7"));
    assert_true(text_is(http_answer_header(&client.answer, "empty"), ""));
    assert_null(http_answer_header(&client.answer, "X-Early").data);
    assert_null(http_answer_header(&client.answer, "X-Lef").data);
    assert_non_null(strstr(server.seen[0], "PATCH /a/b?email=x%40y HTTP/1.1\r\n"));
    assert_non_null(strstr(server.seen[0], "\r\nX-Auth-Token: secret\r\n"));
    assert_non_null(strstr(server.seen[0], "\r\nContent-Type: application/json\r\n"));
    assert_null(strstr(server.seen[0], "Expect:"));
    assert_non_null(strstr(server.seen[0], "\r\n\r\n{\"a\":1}"));
    /* Not followed; no content type without a body. */
    assert_int_equal(perform(&client, &server, "GET", NULL), 0);
    assert_int_equal(client.answer.status, 301);
    assert_null(strstr(server.seen[1], "Content-Type"));
    assert_int_equal(perform(&client, &server, "POST", NULL), 0);
    assert_int_equal(client.answer.status, 204);
    assert_int_equal(client.answer.body.length, 0);
    assert_non_null(strstr(server.seen[2], "Content-Length: 0\r\n"));
    server_stop(&server);
    assert_int_equal(server.accepted, 1); /* one connection for all of it */
    client_close(&client);
}

/* The connection dies after the second request was read: the server may have done what was asked.
 */
static void repeats_only_get(void **state)
{
    static const struct {
        const char *method, *body;
        int result, requests;
    } cases[] = {
        {"POST", "{}", -1, 2},
        {"PATCH", "{}", -1, 2},
        {"POST", NULL, -1, 2},
        {"GET", NULL, 0, 3},
    };
    static const char *const script[] = {OK, NULL, OK};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct server server;
        struct client client;

        server_start(&server, script, 3);
        client_open(&client);
        assert_int_equal(perform(&client, &server, cases[i].method, cases[i].body), 0);
        if (perform(&client, &server, cases[i].method, cases[i].body) != cases[i].result)
            fail_msg("%s: result is not %d", cases[i].method, cases[i].result);
        assert_int_equal(client.answer.sent, HTTP_MAYBE_SENT);
        if (cases[i].result != 0) {
            assert_int_equal(client.answer.status, 0);
            assert_int_equal(client.err.kind, ERROR_TEMPORARY);
        }
        client_close(&client);
        server_stop(&server);
        if (server.requests != cases[i].requests)
            fail_msg("%s: %d requests arrived, wanted %d", cases[i].method, server.requests,
                     cases[i].requests);
    }
}

static void wants_whole_answers(void **state)
{
    static const struct {
        const char *name, *answer;
        int too_large;
    } cases[] = {
        {"none", NULL, 0},
        {"cut body", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 50\r\n\r\n{\"id\"",
         0},
        {"cut chunk",
         "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"id\"",
         0},
        {"no HTTP", "Connection: close\r\n", 0},
    };
    static char large[3000];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *const script[] = {cases[i].answer};
        struct server server;
        struct client client;

        server_start(&server, script, 1);
        client_open(&client);
        if (perform(&client, &server, "POST", "{}") != -1)
            fail_msg("%s: taken for an answer", cases[i].name);
        assert_int_equal(client.answer.status, 0);
        assert_int_equal(client.answer.too_large, 0);
        assert_int_equal(client.answer.sent, HTTP_MAYBE_SENT);
        /* A query may hold an e-mail address, a header the token. The caller names the request. */
        assert_null(strstr(client.err.text, "POST"));
        assert_null(strstr(client.err.text, "email"));
        assert_null(strstr(client.err.text, "secret"));
        client_close(&client);
        server_stop(&server);
    }
    {
        const char *const script[] = {large};
        struct server server;
        struct client client;
        int used = snprintf(large, sizeof(large),
                            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n");

        memset(large + used, 'x', 1001);
        server_start(&server, script, 1);
        client_open(&client);
        assert_int_equal(perform(&client, &server, "GET", NULL), -1);
        assert_int_equal(client.answer.too_large, 1);
        client_close(&client);
        server_stop(&server);
    }
}

static void knows_what_was_not_sent(void **state)
{
    struct server server;
    struct client client;

    (void)state;
    server_start(&server, NULL, 0);
    server_stop(&server); /* nobody listens on its port now */
    client_open(&client);
    assert_int_equal(perform(&client, &server, "POST", "{}"), -1);
    assert_int_equal(client.answer.sent, HTTP_NOT_SENT);
    assert_int_equal(client.err.kind, ERROR_TEMPORARY);
    client_close(&client);
}

/* Reads what is left on a connection, and closes it. @returns how it ended: 0, or errno */
static int read_to_the_end(int line, size_t *bytes)
{
    static char data[65536];
    ssize_t got;
    int code;

    while ((got = read(line, data, sizeof(data))) > 0)
        *bytes += (size_t)got;
    code = got < 0 ? errno : 0;
    close(line);
    return code;
}

enum { HELD_BYTES = 40000 };

/* A body that a kernel holds whole while the server reads nothing. */
static char *held_body(void)
{
    char *body = mem_alloc(HELD_BYTES + 1);

    memset(body, 'x', HELD_BYTES);
    return body;
}

static void given_up_does_not_arrive_later(void **state)
{
    static const char *const methods[] = {"POST", "PATCH"};
    char *body = held_body();

    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        struct server server;
        struct client client;
        size_t bytes = 0;
        int code;

        server_listen(&server, 2048);
        client_open(&client);
        client.timeout_ms = 200;
        assert_int_equal(perform(&client, &server, methods[i], body), -1);
        assert_int_equal(client.answer.sent, HTTP_MAYBE_SENT);
        code = read_to_the_end(accept(server.listener, NULL, NULL), &bytes);
        if (code != ECONNRESET || bytes >= HELD_BYTES)
            fail_msg("%s: %zu bytes arrived, and then: %s", methods[i], bytes, strerror(code));
        client_close(&client);
        close(server.listener);
    }
    free(body);
}

/* What the process began and did not live to give up. */
static void killed_does_not_arrive_later(void **state)
{
    char *body = held_body();
    struct server server;
    size_t bytes = 1;
    char first;
    int line, code;
    pid_t child;

    (void)state;
    server_listen(&server, 2048);
    child = fork();
    if (child == 0) {
        struct client client;

        client_open(&client);
        client.timeout_ms = 60000;
        perform(&client, &server, "POST", body);
        _exit(1);
    }
    line = accept(server.listener, NULL, NULL);
    assert_int_equal(read(line, &first, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    code = read_to_the_end(line, &bytes);
    if (code != ECONNRESET || bytes >= HELD_BYTES)
        fail_msg("%zu bytes arrived, and then: %s", bytes, strerror(code));
    close(server.listener);
    free(body);
}

/* One request is read and answered; then how does the connection end? */
static void *answer_one(void *context)
{
    struct server *server = context;
    int line = accept(server->listener, NULL, NULL);
    size_t bytes = 0;

    if (read_request(line, server->seen[0], sizeof(server->seen[0])) == 0 &&
        write(line, server->script[0], strlen(server->script[0])) > 0)
        server->requests = 1;
    server->script_count = read_to_the_end(line, &bytes);
    return NULL;
}

static void resets_only_what_was_given_up(void **state)
{
    static char large[1200];
    static const struct {
        const char *name, *answer;
        int ended;
    } cases[] = {
        {"kept", OK, 0},
        {"last", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", 0},
        {"half", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", ECONNRESET},
        {"large", large, ECONNRESET},
        {"no HTTP", "SMTP ready\r\n", ECONNRESET},
    };

    (void)state;
    snprintf(large, sizeof(large), "HTTP/1.1 200 OK\r\nContent-Length: 1100\r\n\r\n%01100d", 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct server server;
        struct client client;

        server_listen(&server, 0);
        server.script = &cases[i].answer;
        assert_int_equal(pthread_create(&server.thread, NULL, answer_one, &server), 0);
        client_open(&client);
        client.timeout_ms = cases[i].ended == 0 ? 3000 : 200;
        assert_int_equal(perform(&client, &server, "POST", "{}"), cases[i].ended == 0 ? 0 : -1);
        client_close(&client);
        pthread_join(server.thread, NULL);
        assert_int_equal(server.requests, 1);
        if (server.script_count != cases[i].ended)
            fail_msg("%s: ended with %s", cases[i].name, strerror(server.script_count));
        close(server.listener);
    }
}

/* A vendor, or somebody in its place, wants the request sent elsewhere. */
static void follows_no_redirect(void **state)
{
    static const char *const statuses[] = {"301", "302", "303", "307", "308"};
    static const char *const places[] = {"http://127.0.0.1:%d/", "https://127.0.0.1:%d/",
                                         "//127.0.0.1:%d/", "ftp://127.0.0.1:%d/",
                                         "file:///etc/passwd"};

    (void)state;
    for (size_t i = 0; i < 5 * 5 * 2; i++) {
        const char *method = i % 2 == 0 ? "GET" : "POST";
        char place[64], answer[200];
        const char *const script[] = {answer};
        struct server server, elsewhere;
        struct client client;

        server_listen(&elsewhere, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(place, sizeof(place), places[i / 2 % 5], elsewhere.port);
#pragma GCC diagnostic pop
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 %s Moved\r\nLocation: %s\r\nConnection: close\r\n"
                 "Content-Length: 0\r\n\r\n",
                 statuses[i / 10], place);
        server_start(&server, script, 1);
        client_open(&client);
        assert_int_equal(perform(&client, &server, method, i % 2 == 0 ? NULL : "{}"), 0);
        if (client.answer.status != atoi(statuses[i / 10]) || client.answer.body.length != 0)
            fail_msg("%s %s: %d", statuses[i / 10], place, client.answer.status);
        assert_int_equal(fcntl(elsewhere.listener, F_SETFL, O_NONBLOCK), 0);
        if (accept(elsewhere.listener, NULL, NULL) >= 0)
            fail_msg("%s %s was followed", statuses[i / 10], place);
        client_close(&client);
        server_stop(&server);
        close(elsewhere.listener);
    }
}

static void escapes(void **state)
{
    struct buffer target = {0};

    (void)state;
    http_append_escaped(&target, (struct text){"aZ09-_.~ +&=/@%\xc3\xa9\0", 18});
    assert_string_equal(target.data, "aZ09-_.~%20%2B%26%3D%2F%40%25%C3%A9%00");
    buffer_clear(&target);
}

static int setup(void **state)
{
    struct error err = {0};

    (void)state;
    return http_global_init(&err);
}

static int teardown(void **state)
{
    (void)state;
    http_global_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_and_reads),
        cmocka_unit_test(repeats_only_get),
        cmocka_unit_test(wants_whole_answers),
        cmocka_unit_test(knows_what_was_not_sent),
        cmocka_unit_test(given_up_does_not_arrive_later),
        cmocka_unit_test(killed_does_not_arrive_later),
        cmocka_unit_test(resets_only_what_was_given_up),
        cmocka_unit_test(follows_no_redirect),
        cmocka_unit_test(escapes),
    };

    return cmocka_run_group_tests_name("http", tests, setup, teardown);
}
