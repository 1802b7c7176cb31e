#include "infusionsoft/token_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/mem.h"
#include "infusionsoft/token_pair.h"

enum { ROOM_BYTES = 16384, LEFT_BEHIND_S = 3600 };

static void forget(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void token_state_clear(struct token_state *state)
{
    forget(&state->access);
    forget(&state->refresh);
    forget(&state->begun);
    *state = (struct token_state){0};
}

int token_file_read(struct token_state *state, const char *path)
{
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, NULL);
    struct token_pair pair;
    int rc;

    *state = (struct token_state){0};
    if (doc == NULL)
        return access(path, F_OK) != 0 && errno == ENOENT ? 0 : -1;
    rc = token_pair_of_state(yyjson_doc_get_root(doc), &pair);
    if (rc == 0)
        *state = (struct token_state){.access = mem_strdup(pair.access),
                                      .refresh = mem_strdup(pair.refresh),
                                      .refresh_at_ms = pair.refresh_at_ms,
                                      .expires_at_ms = pair.expires_at_ms,
                                      .begun = mem_strdup(pair.begun)};
    yyjson_doc_free(doc);
    return rc == 0 ? 1 : -1;
}

char *token_file_beside(const char *path)
{
    uint64_t name = 0;

    /* The name is random. A process id would not do: in containers every pusher has the same. */
    while (getrandom(&name, sizeof(name), 0) != (ssize_t)sizeof(name))
        ; /* getrandom() is interrupted only by a signal */
    return mem_printf("%s.%016llx.new", path, (unsigned long long)name);
}

/* Makes the file anew. Something that somebody else put there under this name, a link or a file that
 * others can open, is removed and never written to. @returns the descriptor, or -1 with errno set */
static int create(const char *beside)
{
    int fd;

    if (unlink(beside) != 0 && errno != ENOENT)
        return -1;
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fchmod(fd, 0600) != 0) { /* the umask may have taken more away */
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Opens the file that token_file_reserve() made, whose room on the disk is ours already. Where it is
 * gone or is not that file any more, it is made anew. */
static int open_reserved(const char *beside)
{
    int fd = open(beside, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat about;

    if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() &&
        about.st_nlink == 1 && (about.st_mode & 07777) == 0600)
        return fd;
    if (fd >= 0)
        close(fd);
    return create(beside);
}

int token_file_reserve(const char *beside)
{
    int fd = create(beside);
    int code = fd >= 0 ? posix_fallocate(fd, 0, ROOM_BYTES) : errno;

    if (fd >= 0)
        close(fd);
    errno = code;
    return code == 0 ? 0 : -1;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static int sync_folder(const char *path)
{
    char *copy = mem_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;

    if (fd >= 0)
        close(fd);
    free(copy);
    return rc;
}

/* New. */
static char *state_json(const struct token_state *state, size_t *length)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    char *json;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "access_token", state->access);
    yyjson_mut_obj_add_str(doc, root, "refresh_token", state->refresh);
    yyjson_mut_obj_add_sint(doc, root, "refresh_at_ms", state->refresh_at_ms);
    yyjson_mut_obj_add_sint(doc, root, "expires_at_ms", state->expires_at_ms);
    yyjson_mut_obj_add_str(doc, root, "begun", state->begun);
    json = mem_check(yyjson_mut_write(doc, 0, length));
    yyjson_mut_doc_free(doc);
    return json;
}

/* Removes the files of processes that crashed before their rename. Each such file has a new name,
 * so they would pile up. */
static void remove_left_behind(const char *path)
{
    char *folder_copy = mem_strdup(path);
    char *name_copy = mem_strdup(path);
    const char *folder = dirname(folder_copy);
    const char *name = basename(name_copy);
    size_t length = strlen(name);
    DIR *entries = opendir(folder);
    struct dirent *entry;

    /* readdir() of glibc is safe while one thread uses a stream, and readdir_r() is deprecated. */
    /* cppcheck-suppress readdirCalled */
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        size_t all = strlen(entry->d_name);
        struct stat about;

        if (all < length + 4 || strncmp(entry->d_name, name, length) != 0 ||
            entry->d_name[length] != '.' || strcmp(entry->d_name + all - 4, ".new") != 0)
            continue;
        if (fstatat(dirfd(entries), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(about.st_mode) && about.st_mtime < time(NULL) - LEFT_BEHIND_S)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL)
        closedir(entries);
    free(folder_copy);
    free(name_copy);
}

int token_file_save(const char *path, const char *beside, const struct token_state *state)
{
    size_t length;
    char *json = state_json(state, &length);
    int fd = open_reserved(beside);
    int rc = -1, code;

    if (fd >= 0) {
        if (write_all(fd, json, length) == 0 && ftruncate(fd, (off_t)length) == 0 && fsync(fd) == 0)
            rc = 0;
        if (close(fd) != 0)
            rc = -1;
    }
    if (rc == 0 && (rename(beside, path) != 0 || sync_folder(path) != 0))
        rc = -1;
    code = errno;
    explicit_bzero(json, length);
    free(json);
    if (rc == 0)
        remove_left_behind(path);
    errno = code;
    return rc;
}
