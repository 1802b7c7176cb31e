#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <yyjson.h>

#include "clock.h"
#include "http.h"
#include "log.h"
#include "redis.h"
#include "stop.h"

enum {
    LOCK_MS = 60000, /* longer than one refresh can take */
    HTTP_TIMEOUT_MS = 20000,
    WAIT_FOR_OTHER_MS = 200,
    WAITS_MAX = 150,
    EARLY_PERCENT = 90, /* of its life, after which a token is refreshed */
    ANSWER_MAX_BYTES = 65536,
};

struct token {
    struct token_settings settings;
    pthread_mutex_t lock;
    struct http *http;
    struct redis *redis;
    struct http_answer answer;
    char *access;
    char *refresh;
    int64_t refresh_at_ms;
    char *refused_refresh; /* this one is dead: a person must authorize again; not tried twice */
};

struct token *token_new(const struct token_settings *settings)
{
    struct token *token = mem_alloc(sizeof(*token));

    token->settings = *settings;
    pthread_mutex_init(&token->lock, NULL);
    token->http = http_new("bigfusion");
    token->redis = redis_new(settings->redis_url, settings->timeout_ms);
    return token;
}

static void forget(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void token_free(struct token *token)
{
    if (token == NULL)
        return;
    forget(&token->access);
    forget(&token->refresh);
    forget(&token->refused_refresh);
    http_answer_clear(&token->answer);
    http_free(token->http);
    redis_free(token->redis);
    pthread_mutex_destroy(&token->lock);
    free(token);
}

static void take(char **target, const char *secret)
{
    char *copy = mem_strdup(secret);

    forget(target);
    *target = copy;
}

/* The state file, where there is one: {"access_token", "refresh_token", "refresh_at_ms"}. */
static int load_file(struct token *token, struct error *err)
{
    const char *path = token->settings.account->token_state_file;
    yyjson_read_err read_error;
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, &read_error);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *fresh = yyjson_get_str(yyjson_obj_get(root, "access_token"));
    const char *next = yyjson_get_str(yyjson_obj_get(root, "refresh_token"));
    int rc = 0;

    if (fresh != NULL && next != NULL) {
        take(&token->access, fresh);
        take(&token->refresh, next);
        token->refresh_at_ms = yyjson_get_sint(yyjson_obj_get(root, "refresh_at_ms"));
    } else if (doc == NULL && access(path, F_OK) != 0 && errno == ENOENT) {
        if (token->refresh == NULL) /* the first start */
            take(&token->refresh, token->settings.account->refresh_token);
    } else {
        rc = error_set(err, ERROR_TEMPORARY, "token_state_file of %s cannot be read",
                       token->settings.account->name);
    }
    yyjson_doc_free(doc);
    return rc;
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

/* Durable before it is used: written beside, synced, renamed. */
static int save_file(const struct token *token, struct error *err)
{
    const char *path = token->settings.account->token_state_file;
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    char *beside = mem_printf("%s.new", path);
    size_t length;
    char *json;
    int fd, rc = -1;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "access_token", token->access);
    yyjson_mut_obj_add_str(doc, root, "refresh_token", token->refresh);
    yyjson_mut_obj_add_sint(doc, root, "refresh_at_ms", token->refresh_at_ms);
    json = mem_check(yyjson_mut_write(doc, 0, &length));
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        if (write_all(fd, json, length) == 0 && fsync(fd) == 0)
            rc = 0;
        if (close(fd) != 0)
            rc = -1;
    }
    if (rc == 0 && (rename(beside, path) != 0 || sync_folder(path) != 0))
        rc = -1;
    if (rc != 0)
        error_set(err, ERROR_TEMPORARY, "token_state_file of %s cannot be written: %s",
                  token->settings.account->name, strerror(errno));
    explicit_bzero(json, length);
    free(json);
    free(beside);
    yyjson_mut_doc_free(doc);
    return rc;
}

/* Authorization: Basic base64(client_id:client_secret). New. */
static char *basic_header(const struct config_account *account)
{
    char *plain = mem_printf("%s:%s", account->client_id, account->client_secret);
    size_t length = strlen(plain);
    char *header = mem_alloc(6 + 4 * ((length + 2) / 3) + 1);

    memcpy(header, "Basic ", 6);
    EVP_EncodeBlock((unsigned char *)header + 6, (unsigned char *)plain, (int)length);
    forget(&plain);
    return header;
}

/* The answer of the token URL -> the new pair. */
static int read_pair(struct token *token, struct error *err)
{
    const char *name = token->settings.account->name;
    yyjson_doc *doc = yyjson_read(token->answer.body.data, token->answer.body.length, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *fresh = yyjson_get_str(yyjson_obj_get(root, "access_token"));
    const char *next = yyjson_get_str(yyjson_obj_get(root, "refresh_token"));
    int64_t life_s = yyjson_get_sint(yyjson_obj_get(root, "expires_in"));
    int rc = 0;

    if (token->answer.status == 200 && fresh != NULL && next != NULL) {
        if (life_s <= 0)
            life_s = 3600;
        take(&token->access, fresh);
        take(&token->refresh, next);
        token->refresh_at_ms = clock_now_ms() + life_s * 1000 * EARLY_PERCENT / 100;
    } else if (token->answer.status == 400 || token->answer.status == 401) {
        take(&token->refused_refresh, token->refresh);
        log_error("authorization_lost account=%s status=%d a person must authorize again", name,
                  token->answer.status);
        rc = error_set(err, ERROR_PERMANENT, "the refresh token of %s is refused: authorize again",
                       name);
    } else {
        rc = error_set(err, ERROR_TEMPORARY, "token request of %s: HTTP %d", name,
                       token->answer.status);
    }
    yyjson_doc_free(doc);
    return rc;
}

/* Under both locks. */
static int ask_for_pair(struct token *token, struct error *err)
{
    const struct config_account *account = token->settings.account;
    char *basic = basic_header(account);
    struct http_header header = {"Authorization", basic};
    struct buffer body = {0};
    struct http_request request = {.method = "POST",
                                   .url = account->token_url,
                                   .headers = &header,
                                   .header_count = 1,
                                   .content_type = "application/x-www-form-urlencoded",
                                   .timeout_ms = HTTP_TIMEOUT_MS,
                                   .max_answer_bytes = ANSWER_MAX_BYTES};
    int rc;

    buffer_printf(&body, "grant_type=refresh_token&refresh_token=");
    http_append_escaped(&body, text_of(token->refresh));
    request.body = (struct text){body.data, body.length};
    rc = http_perform(token->http, &request, &token->answer, err);
    if (rc != 0)
        error_prefix(err, "token request of %s", account->name);
    else
        rc = read_pair(token, err);
    if (rc == 0)
        rc = save_file(token, err);
    if (rc == 0)
        log_info("token_refreshed account=%s", account->name);
    explicit_bzero(body.data, body.length);
    buffer_clear(&body);
    forget(&basic);
    return rc;
}

static int is_usable(const struct token *token, struct text refused)
{
    return token->access != NULL && clock_now_ms() < token->refresh_at_ms &&
           !(refused.length > 0 && text_is(refused, token->access));
}

/* Takes the lock in Redis, or sees that somebody else has refreshed. 1: the lock is ours; 0: usable
 * now; -1 */
static int lock_or_learn(struct token *token, struct text refused, const char *key,
                         const char *owner, struct error *err)
{
    for (int i = 0; i < WAITS_MAX; i++) {
        redisReply *reply;
        int taken;

        if (load_file(token, err) != 0)
            return -1;
        if (is_usable(token, refused))
            return 0;
        if (token->refused_refresh != NULL && strcmp(token->refused_refresh, token->refresh) == 0)
            return error_set(err, ERROR_PERMANENT,
                             "the refresh token of %s is refused: authorize again",
                             token->settings.account->name);
        reply = redis_command(token->redis, err, "SET %s %s NX PX %d", key, owner, LOCK_MS);
        if (reply == NULL)
            return -1;
        taken = reply->type == REDIS_REPLY_STATUS;
        freeReplyObject(reply);
        if (taken)
            return 1;
        if (stop_wait_ms(WAIT_FOR_OTHER_MS))
            break;
    }
    return error_set(err, ERROR_TEMPORARY, "another pusher refreshes the token of %s",
                     token->settings.account->name);
}

/* With the mutex held. */
static int refresh(struct token *token, struct text refused, struct error *err)
{
    static const char unlock[] =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";
    char *key =
        mem_printf("%s:token-lock:%s", token->settings.prefix, token->settings.account->name);
    char owner[64];
    struct error ignored = {0};
    int rc;

    snprintf(owner, sizeof(owner), "%d-%" PRId64, (int)getpid(), clock_now_ms());
    rc = lock_or_learn(token, refused, key, owner, err);
    if (rc == 1) {
        /* Read again: somebody may have finished between our look and the lock. */
        rc = load_file(token, err);
        if (rc == 0 && !is_usable(token, refused))
            rc = ask_for_pair(token, err);
        freeReplyObject(
            redis_command(token->redis, &ignored, "EVAL %s 1 %s %s", unlock, key, owner));
    }
    free(key);
    return rc;
}

int token_current(struct token *token, struct buffer *target, struct error *err)
{
    int rc = 0;

    pthread_mutex_lock(&token->lock);
    if (!is_usable(token, (struct text){0}))
        rc = refresh(token, (struct text){0}, err);
    if (rc == 0)
        buffer_append(target, token->access, strlen(token->access));
    pthread_mutex_unlock(&token->lock);
    return rc;
}

int token_refused(struct token *token, struct text refused, struct error *err)
{
    int rc = 0;

    pthread_mutex_lock(&token->lock);
    if (!is_usable(token, refused))
        rc = refresh(token, refused, err);
    pthread_mutex_unlock(&token->lock);
    return rc;
}
