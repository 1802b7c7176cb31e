/* NAME
 *   bench-http - the limit that the pusher is measured against: libcurl sending the same requests,
 *   and nothing else
 * SYNOPSIS
 *   bench-http URL THREADS FILE <key-file
 * DOES
 *   Sends the requests of FILE, one a line: METHOD, blank, path, blank, JSON body or nothing. Each
 *   thread has a connection of its own that stays open and takes the next line when it has its
 *   answer. The API key is read from standard input.
 * PRINTS
 *   "calls=N refused=R seconds=S cpu_us_per_call=C": refused are answers of 400 and above. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

enum { THREADS_MAX = 512 };

struct request {
    char *method, *path, *body; /* borrowed from the file's text; body may be "" */
};

struct run {
    const char *url;
    struct curl_slist *headers;
    struct request *requests;
    int count;
    atomic_int next;
    atomic_int refused;
};

static size_t ignore_answer(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)context;
    return size * count;
}

static void send_request(CURL *curl, struct run *run, const struct request *request)
{
    char *url = mem_printf("%s%s", run->url, request->path);
    int has_body = request->body[0] != '\0';
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (curl_easy_perform(curl) != CURLE_OK ||
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status >= 400)
        atomic_fetch_add(&run->refused, 1);
    free(url);
}

static void *work(void *context)
{
    struct run *run = context;
    CURL *curl = mem_check(curl_easy_init());

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, run->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_answer);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    for (int i; (i = atomic_fetch_add(&run->next, 1)) < run->count;)
        send_request(curl, run, &run->requests[i]);
    curl_easy_cleanup(curl);
    return NULL;
}

static int read_file(const char *path, struct buffer *text, struct error *err)
{
    char piece[65536];
    size_t length;
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return error_set(err, ERROR_PERMANENT, "%s cannot be read", path);
    while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
        buffer_append(text, piece, length);
    fclose(file);
    return 0;
}

static void split_requests(struct run *run, char *text)
{
    char *line, *rest = NULL;
    int capacity = 0;

    for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *path = strchr(line, ' '), *body = path == NULL ? NULL : strchr(path + 1, ' ');

        if (body == NULL)
            continue;
        if (run->count == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 1024;
            run->requests = mem_realloc(run->requests, (size_t)capacity * sizeof(*run->requests));
        }
        *path++ = '\0';
        *body++ = '\0';
        run->requests[run->count++] = (struct request){line, path, body};
    }
}

static double cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int run_threads(struct run *run, int thread_count, struct error *err)
{
    pthread_t threads[THREADS_MAX];
    int64_t begun_ms = clock_monotonic_ms();
    double begun_us = cpu_us();

    for (int i = 0; i < thread_count; i++)
        if (pthread_create(&threads[i], NULL, work, run) != 0)
            return error_set(err, ERROR_TEMPORARY, "no thread can be started");
    for (int i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    printf("calls=%d refused=%d seconds=%.3f cpu_us_per_call=%.1f\n", run->count,
           atomic_load(&run->refused), (double)(clock_monotonic_ms() - begun_ms) / 1000,
           (cpu_us() - begun_us) / (run->count > 0 ? run->count : 1));
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct run run = {0};
    struct buffer text = {0};
    char key[256] = "", *header;
    long thread_count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;

    log_open("bench-http");
    if (thread_count < 1 || thread_count > THREADS_MAX) {
        error_set(&err, ERROR_PERMANENT, "usage: bench-http URL THREADS(1..%d) FILE <key-file",
                  THREADS_MAX);
        goto out;
    }
    if (fgets(key, sizeof(key), stdin) != NULL)
        key[strcspn(key, "\r\n")] = '\0';
    if (read_file(argv[3], &text, &err) != 0)
        goto out;
    if (text.length > 0)
        split_requests(&run, text.data);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    header = mem_printf("X-Keap-API-Key: %s", key);
    run.url = argv[1];
    run.headers = curl_slist_append(NULL, "Content-Type: application/json");
    run.headers = curl_slist_append(run.headers, header);
    run.headers = curl_slist_append(run.headers, "Expect:");
    free(header);
    run_threads(&run, (int)thread_count, &err);
    curl_slist_free_all(run.headers);
    curl_global_cleanup();
out:
    free(run.requests);
    buffer_clear(&text);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
