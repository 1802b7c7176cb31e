#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "order_text.h"

/* Returns how many lines the file has already. */
static int64_t count_lines(int fd)
{
    char block[65536];
    int64_t lines = 0;
    ssize_t got;

    while ((got = read(fd, block, sizeof block)) > 0)
        for (ssize_t i = 0; i < got; i++)
            lines += block[i] == '\n';
    return lines;
}

int journal_open(struct journal *journal, const char *path, struct error *err)
{
    journal->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (journal->fd < 0)
        return error_set(err, ERROR_PERMANENT, "journal %s: %s", path, strerror(errno));
    journal->lines = count_lines(journal->fd);
    return 0;
}

void journal_close(struct journal *journal)
{
    if (journal->fd > 0)
        close(journal->fd);
    buffer_clear(&journal->line);
    *journal = (struct journal){0};
}

static void write_line(struct journal *journal)
{
    const char *data = journal->line.data;
    size_t left = journal->line.length;

    while (journal->fd > 0 && left > 0) {
        ssize_t done = write(journal->fd, data, left);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            log_error("journal write failed error=\"%s\"", strerror(errno));
            return;
        }
        data += done;
        left -= (size_t)done;
    }
}

static void begin_line(struct journal *journal, const char *side, const char *method,
                       const char *path)
{
    int64_t now_ms = clock_now_ms();

    buffer_reset(&journal->line);
    buffer_printf(&journal->line, "{\"n\":%lld,\"t\":%lld.%03d,\"side\":\"%s\",\"method\":",
                  (long long)++journal->lines, (long long)(now_ms / 1000), (int)(now_ms % 1000),
                  side);
    order_text_string(&journal->line, method, strlen(method), 0);
    buffer_printf(&journal->line, ",\"path\":");
    order_text_string(&journal->line, path, strlen(path), 0);
}

/* Writes the request's body into the journal: as JSON if it is JSON, else as a string. The form of
 * a token request holds secrets, so a note is written in its place. */
static void append_body(struct buffer *line, const struct request *request)
{
    if (request->body.length == 0) {
        buffer_printf(line, "null");
    } else if (request->json == NULL && strstr(request->path, "/token") != NULL) {
        buffer_printf(line, "{\"form\":\"token request\"}");
    } else if (request->json == NULL) {
        order_text_string(line, request->body.data, request->body.length, 0);
    } else if (memchr(request->body.data, '\n', request->body.length) == NULL &&
               memchr(request->body.data, '\r', request->body.length) == NULL) {
        buffer_append(line, request->body.data, request->body.length);
    } else {
        char *text = json_text(request->json);
        buffer_append(line, text, strlen(text));
        free(text);
    }
}

void journal_request(struct journal *journal, enum side side, const struct request *request,
                     int status, const struct buffer *effect, const char *fault)
{
    struct buffer *line = &journal->line;

    begin_line(journal, side == SIDE_INFUSIONSOFT ? "is" : "bc", request->method, request->path);
    buffer_printf(line, ",\"query\":");
    order_text_string(line, request->query, strlen(request->query), 0);
    buffer_printf(line, ",\"body\":");
    append_body(line, request);
    buffer_printf(line, ",\"status\":%d,\"effect\":", status);
    if (effect->length > 0)
        buffer_append(line, effect->data, effect->length);
    else
        buffer_printf(line, "null");
    if (fault != NULL)
        buffer_printf(line, ",\"fault\":\"%s\"}\n", fault);
    else
        buffer_printf(line, ",\"fault\":null}\n");
    write_line(journal);
}

void journal_store(struct journal *journal, const char *method, const char *path,
                   const char *effect)
{
    begin_line(journal, "store", method, path);
    buffer_printf(&journal->line,
                  ",\"query\":\"\",\"body\":null,\"status\":200,\"effect\":%s,\"fault\":null}\n",
                  effect);
    write_line(journal);
}
