#include "net/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "settings/config.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    IDLE_CONNECTION_S =
        30, /* a connection that was idle for longer is not used again: the other side may be
               closing it */
    HEADERS_MAX_BYTES = 64 * 1024,
    STOP_GRACE_MS = 1000,
    CLOSING_MAX = 8, /* a request uses one connection, or two where a GET is repeated */
};

struct http {
    CURL *curl;
    char *agent;
    char failure[CURL_ERROR_SIZE];
    /* the rest belongs to the running request */
    struct http_answer *answer;
    size_t max_answer_bytes;
    int repeatable;
    int started_count;    /* how often libcurl was about to write the request to a connection */
    int64_t stop_seen_ms; /* monotonic clock; 0: no stop was asked for yet */
    /* Connections that libcurl has no use for any more. How they are closed is decided when the
     * outcome of the request is known. */
    curl_socket_t closing[CLOSING_MAX];
    int closing_count;
};

int http_global_init(struct error *err)
{
    unsetenv("SSLKEYLOGFILE");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return error_set(err, ERROR_PERMANENT, "libcurl cannot be initialised");
    return 0;
}

void http_global_cleanup(void) { curl_global_cleanup(); }

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct http *http = context;
    size_t length = size * count;

    if (http->answer->body.length + length > http->max_answer_bytes) {
        http->answer->too_large = 1;
        return 0;
    }
    buffer_append(&http->answer->body, data, length);
    return length;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct http *http = context;
    struct buffer *headers = &http->answer->headers;
    size_t length = size * count;

    /* A status line begins a new answer: there may be a 100 before the final one, or a repeated
     * GET. So the headers are emptied. */
    if (length >= 5 && memcmp(data, "HTTP/", 5) == 0)
        buffer_reset(headers);
    if (headers->length + length > HEADERS_MAX_BYTES) {
        http->answer->too_large = 1;
        return 0;
    }
    buffer_append(headers, data, length);
    return length;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct http *http = context;
    int64_t now_ms;

    (void)a, (void)b, (void)c, (void)d;
    if (!http->repeatable || !stop_requested())
        return 0;
    now_ms = clock_monotonic_ms();
    if (http->stop_seen_ms == 0)
        http->stop_seen_ms = now_ms;
    return now_ms - http->stop_seen_ms >= STOP_GRACE_MS;
}

/* When a kept connection dies without an answer, libcurl sends the request again by itself,
 * whatever its method. The first request may have had its effect, so this stops libcurl from
 * repeating anything but a GET. */
static int on_start(void *context, char *ip, char *local_ip, int port, int local_port)
{
    struct http *http = context;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    http->started_count++;
    return http->started_count > 1 && !http->repeatable ? CURL_PREREQFUNC_ABORT
                                                        : CURL_PREREQFUNC_OK;
}

/* Decides what close() does with bytes that the other side has not acknowledged. Without a reset
 * the kernel goes on sending them for minutes, even after the process has ended. */
static void set_reset(curl_socket_t socket, int reset)
{
    const struct linger linger = {.l_onoff = reset, .l_linger = 0};

    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Each new connection is set to end with a reset. So a request that is under way when the process
 * is killed does not arrive later. Only a connection that ended well is closed normally, see
 * on_close(). */
static int on_open(void *context, curl_socket_t socket, curlsocktype purpose)
{
    (void)context, (void)purpose;
    set_reset(socket, 1);
    return CURL_SOCKOPT_OK;
}

/* libcurl wants to close a connection. If it has not begun to send the request yet, no request on
 * this connection waits for an answer, so the connection is closed normally. Otherwise libcurl does
 * not tell here whether the whole answer came. So the connection stays open until that is known;
 * then close_connections() closes it. */
static int on_close(void *context, curl_socket_t socket)
{
    struct http *http = context;

    if (http->started_count == 0)
        set_reset(socket, 0);
    else if (http->closing_count < CLOSING_MAX) {
        http->closing[http->closing_count++] = socket;
        return 0;
    }
    return close(socket);
}

static void close_connections(struct http *http, int answered)
{
    for (int i = 0; i < http->closing_count; i++) {
        set_reset(http->closing[i], !answered);
        close(http->closing[i]);
    }
    http->closing_count = 0;
    http->started_count = 0;
}

/* libcurl's own defaults differ between versions and distributions, so everything that protects a
 * credential is set here. */
static void set_protection(CURL *curl, const struct http_settings *settings)
{
    const char *proxy = settings != NULL ? settings->proxy : "";

    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* An empty name also keeps libcurl from the proxies of the environment. Calls to this machine,
     * which may be plain http, never go to another one. */
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.0/8,::1");
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (settings != NULL && settings->ca_file[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* the system's authorities do not count */
    }
}

struct http *http_new(const char *name, const struct http_settings *settings)
{
    struct http *http = mem_alloc(sizeof(*http));
    CURL *curl = mem_check(curl_easy_init());

    http->curl = curl;
    http->agent = mem_printf("bigfusion/%s (%s)", BIGFUSION_VERSION, name);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, http->agent);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    set_protection(curl, settings);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->failure);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_start);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, http);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, on_open);
    curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, http);
    return http;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->curl);
    free(http->agent);
    free(http);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
    char *line = mem_printf("%s: %s", name, value);

    list = mem_check(curl_slist_append(list, line));
    explicit_bzero(line, strlen(line));
    free(line);
    return list;
}

static struct curl_slist *request_headers(const struct http_request *request)
{
    /* With an empty Expect header libcurl does not ask for a 100 before large bodies and wait a
     * second for it. */
    struct curl_slist *list = mem_check(curl_slist_append(NULL, "Expect:"));

    if (request->body.data != NULL)
        list =
            add_header(list, "Content-Type",
                       request->content_type != NULL ? request->content_type : "application/json");
    for (int i = 0; i < request->header_count; i++)
        list = add_header(list, request->headers[i].name, request->headers[i].value);
    return list;
}

static void set_method(CURL *curl, const struct http_request *request)
{
    if (request->body.data == NULL && strcmp(request->method, "POST") != 0) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.data != NULL ? request->body.data : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void begin_request(struct http *http, const struct http_request *request,
                          struct http_answer *answer)
{
    answer->status = 0;
    answer->too_large = 0;
    buffer_reset(&answer->body);
    buffer_reset(&answer->headers);
    http->answer = answer;
    http->max_answer_bytes = request->max_answer_bytes;
    http->repeatable = strcmp(request->method, "GET") == 0;
    http->started_count = 0;
    http->stop_seen_ms = 0;
    http->failure[0] = '\0';
    set_method(http->curl, request);
    curl_easy_setopt(http->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(request->timeout_ms < CONNECT_TIMEOUT_MS ? request->timeout_ms
                                                                     : CONNECT_TIMEOUT_MS));
}

/* Says which call was made. The query is left out: it may hold an e-mail address. */
static void log_call(const struct http_request *request, const struct http_answer *answer)
{
    const char *host = strstr(request->url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    char shown[200];

    if (!log_enabled(LOG_DEBUG))
        return;
    if (path == NULL)
        path = "/";
    log_debug("called method=%s path=%s status=%d took_ms=%lld", request->method,
              log_escape(shown, sizeof(shown), path, strcspn(path, "?#")), answer->status,
              (long long)answer->elapsed_ms);
}

int http_perform(struct http *http, const struct http_request *request, struct http_answer *answer,
                 struct error *err)
{
    struct curl_slist *headers = request_headers(request);
    int64_t begun_ms = clock_monotonic_ms();
    CURLcode code;
    long status = 0;
    int repeated;

    begin_request(http, request, answer);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    /* The handle lives longer than the caller's memory. */
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(headers);
    http->answer = NULL;
    answer->sent = http->started_count > 0 ? HTTP_MAYBE_SENT : HTTP_NOT_SENT;
    answer->elapsed_ms = clock_monotonic_ms() - begun_ms;
    if (code == CURLE_OK && status > 0)
        answer->status = (int)status;
    log_call(request, answer);
    repeated = http->started_count > 1;
    close_connections(http, answer->status != 0);
    if (answer->status != 0)
        return 0;
    if (answer->too_large)
        return error_set(err, ERROR_TEMPORARY, "answer longer than %zu bytes",
                         request->max_answer_bytes);
    if (repeated && !http->repeatable)
        return error_set(err, ERROR_TEMPORARY, "connection lost before an answer came");
    return error_set(err, ERROR_TEMPORARY, "%s",
                     http->failure[0] != '\0' ? http->failure : curl_easy_strerror(code));
}

struct text http_answer_header(const struct http_answer *answer, const char *name)
{
    size_t name_length = strlen(name);
    const char *line = answer->headers.data;
    const char *end;

    if (line == NULL)
        return (struct text){NULL, 0};
    end = line + answer->headers.length;
    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        const char *value;

        if (line_end == NULL)
            line_end = end;
        if ((size_t)(line_end - line) > name_length && line[name_length] == ':' &&
            strncasecmp(line, name, name_length) == 0) {
            value = line + name_length + 1;
            while (value < line_end && (*value == ' ' || *value == '\t'))
                value++;
            while (line_end > value && strchr(" \t\r", line_end[-1]) != NULL)
                line_end--;
            return (struct text){value, (size_t)(line_end - value)};
        }
        line = line_end + 1;
    }
    return (struct text){NULL, 0};
}

void http_answer_clear(struct http_answer *answer)
{
    buffer_clear(&answer->body);
    buffer_clear(&answer->headers);
}

void http_append_escaped(struct buffer *buffer, struct text text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c != '\0' && strchr(plain, c) != NULL)
            buffer_append(buffer, &text.data[i], 1);
        else
            buffer_printf(buffer, "%%%02X", c);
    }
}
