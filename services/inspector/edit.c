/* edit.c - `bigfusion retry --edit`: one order again, with a value that was edited. */
#include "retry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

#include "act_line.h"
#include "command.h"

enum { PATH_BYTES = 4096, EDITED_BYTES_MAX = 64 * 1024 * 1024 };

/* A file that only this user can read. path: out. @returns 0, or -1 with an error */
static int write_file(char path[PATH_BYTES], struct text value, struct error *err)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    int file;
    ssize_t written;

    if (folder == NULL || folder[0] == '\0' || access(folder, W_OK) != 0)
        folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    snprintf(path, PATH_BYTES, "%.4000s/bigfusion-XXXXXX.json", folder);
    file = mkstemps(path, (int)strlen(".json")); /* mode 0600 */
    if (file < 0) {
        path[0] = '\0';
        return error_set(err, ERROR_TEMPORARY, "no file can be made in %.100s: %s", folder,
                         strerror(errno));
    }
    written = write(file, value.data, value.length);
    if (close(file) != 0 || written != (ssize_t)value.length)
        return error_set(err, ERROR_TEMPORARY, "%.100s cannot be written", path);
    return 0;
}

/* Runs the editor and waits for it. Ctrl-C is for the editor. */
static int run_editor(const char *path, struct error *err)
{
    const char *editor = getenv("VISUAL");
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int status = -1;
    pid_t child;

    if (editor == NULL || editor[0] == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || editor[0] == '\0')
        editor = "vi";
    fflush(stdout);
    child = fork();
    if (child == 0) {
        char *command = mem_printf("%s \"$1\"", editor);

        execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
        _exit(127);
    }
    sigaction(SIGINT, &ignore, &before);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &before, NULL);
    if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, ERROR_PERMANENT, "the editor (%.60s) failed; nothing was done",
                         editor);
    return 0;
}

static int read_file(const char *path, struct buffer *value, struct error *err)
{
    FILE *file = fopen(path, "rb");
    char piece[8192];
    size_t length;

    if (file == NULL)
        return error_set(err, ERROR_PERMANENT, "%.100s cannot be read again", path);
    while ((length = fread(piece, 1, sizeof(piece), file)) > 0 && value->length < EDITED_BYTES_MAX)
        buffer_append(value, piece, length);
    fclose(file);
    return 0;
}

/* Editors end a file with a line end; the value had none. */
static void trim_end(struct buffer *value, struct text before)
{
    if (before.length > 0 && before.data[before.length - 1] == '\n')
        return;
    while (value->length > 0 && strchr("\r\n", value->data[value->length - 1]) != NULL)
        value->data[--value->length] = '\0';
}

static int check_json(const struct buffer *value, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb(value->data != NULL ? value->data : "", value->length, 0, &where);

    if (json == NULL)
        return error_set(err, ERROR_PERMANENT,
                         "line %d of what was edited is no JSON; nothing was done", where.line);
    json_decref(json);
    return 0;
}

static int edit(struct text before, struct buffer *after, struct error *err)
{
    char path[PATH_BYTES] = "";
    int rc = write_file(path, before, err);

    if (rc == 0)
        rc = run_editor(path, err);
    if (rc == 0)
        rc = read_file(path, after, err);
    if (path[0] != '\0')
        unlink(path);
    if (rc == 0)
        trim_end(after, before);
    return rc;
}

/* The audit tells the digests of both values, and nothing of what they say. */
static int send_edited(struct retry *retry, const struct command_line *line, struct text before,
                       struct text after, struct error *err)
{
    char digests[2][DIGEST_WHOLE_BYTES];
    struct act *act = act_line_new(retry->config, line, err);
    json_t *about;
    int rc = -1;

    if (act == NULL)
        return -1;
    digest_whole_hex(digests[0], before);
    digest_whole_hex(digests[1], after);
    about = retry_about(retry);
    json_object_set_new(about, "digest_before", json_string(digests[0]));
    json_object_set_new(about, "digest_after", json_string(digests[1]));
    retry->edited = after;
    if (act_begin(act, "retry --edit", about, err) == 0) {
        rc = retry_send(retry, act, err);
        rc = act_finish(act, rc, json_pack("{s:I}", "sent", (json_int_t)retry->sent), err);
    }
    if (rc == 0)
        printf("the order was sent again as edited; entry %lld of the audit\n",
               (long long)act->entry);
    act_free(act);
    return rc;
}

static int edit_found(struct retry *retry, const struct command_line *line, struct error *err)
{
    const struct retry_item *item = retry_item_of(retry, retry->choice.keys[0]);
    struct buffer after = {0};
    struct text before;
    int rc = -1;

    if (item == NULL)
        return error_set(err, ERROR_PERMANENT, "%s is neither dead nor retrying nor waiting",
                         retry->choice.keys[0]);
    if (item->refusal != NULL)
        return error_set(err, ERROR_PERMANENT, "%s cannot be tried again: %s", item->key,
                         item->refusal);
    before = (struct text){item->value, item->value_length};
    if (edit(before, &after, err) == 0) {
        struct text value = {after.data != NULL ? after.data : "", after.length};

        if (value.length == before.length && memcmp(value.data, before.data, value.length) == 0) {
            printf("nothing was changed, so nothing was done\n");
            rc = 0;
        } else if (check_json(&after, err) == 0) {
            rc = send_edited(retry, line, before, value, err);
        }
    }
    buffer_clear(&after);
    return rc;
}

int retry_edit(const struct config *config, const struct command_line *line,
               const struct retry_choice *choice, struct error *err)
{
    struct retry retry;
    int rc;

    if (choice->key_count != 1)
        return error_set(err, ERROR_PERMANENT, "--edit takes one order");
    retry_init(&retry, config, choice);
    retry.keep_value = 1;
    rc = retry_find(&retry, err);
    if (rc == 0)
        rc = edit_found(&retry, line, err);
    retry_clear(&retry);
    return rc;
}
