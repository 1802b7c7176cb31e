#include "base/digest.h"
#include "infusionsoft/token.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <yyjson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"
#include "infusionsoft/token_file.h"
#include "infusionsoft/token_pair.h"
#include "net/health.h"
#include "net/http.h"
#include "net/redis.h"

enum {
    HTTP_TIMEOUT_MS = 15000,
    LOCK_MS = 30000,          /* longer than a refresh can take */
    UNSAVED_LOCK_MS = 300000, /* long enough for the next call or probe to save the pair */
    WAIT_FOR_OTHER_MS = 100,
    WAITS_MAX = 100,
    AGAIN_EARLY_MS = 30000, /* wait after an early refresh failed: the old token can still be
                               used */
    AGAIN_MS = 1000,        /* for so long after a failure, everybody who asks gets the same
                               answer */
    ANSWER_MAX_BYTES = 65536,
};

struct token {
    struct token_settings settings;
    char digest[DIGEST_BYTES]; /* digest of the configured refresh token */
    char *beside;              /* path of the temporary file that only this process uses */
    char owner[64];            /* identifies this process as holder of the lock in Redis */
    struct metric *alarms;
    struct metric *expiry, *failing, *failures;
    pthread_mutex_t lock; /* protects the next members */
    struct http *http;
    struct redis *redis;
    struct http_answer answer;
    char *access;
    char *refresh;
    int64_t refresh_at_ms;
    int64_t expires_at_ms;
    struct buffer begun;   /* digests of the configured tokens that were used already, one per
                              line */
    char *filed;           /* the refresh token that the file had when it was last read, or NULL */
    int unsaved;           /* 1: the pair is not on disk yet, so it must not be used */
    char *refused_refresh; /* the refresh token that was refused: a person must authorize again;
                              it is not tried twice */
    struct error failure;  /* why the last refresh failed */
    int64_t failed_until_ms;
};

struct token *token_new(const struct token_settings *settings)
{
    struct token *token = mem_alloc(sizeof(*token));
    struct text first = text_of(settings->account->refresh_token);
    char labels[160];

    token->settings = *settings;
    digest_hex(token->digest, &first, 1);
    snprintf(labels, sizeof(labels), "kind=\"authorization_lost\",account=\"%.80s\"",
             settings->account->name);
    token->alarms = metric_counter("bigfusion_alarms_total", "Alarms raised", labels);
    snprintf(labels, sizeof(labels), "account=\"%.80s\"", settings->account->name);
    token->expiry = metric_gauge_ms("bigfusion_token_expiry_timestamp_seconds",
                                    "When the access token expires; 0: there is none yet", labels);
    token->failing = metric_gauge("bigfusion_token_refresh_failing",
                                  "1: the last attempt to refresh the token failed", labels);
    token->failures = metric_counter("bigfusion_token_refresh_failures_total",
                                     "Attempts to refresh the token that failed", labels);
    snprintf(token->owner, sizeof(token->owner), "%d-%" PRId64 "-%.9f", (int)getpid(),
             clock_now_ms(), retry_chance());
    token->beside = token_file_beside(settings->account->token_state_file);
    pthread_mutex_init(&token->lock, NULL);
    token->http = http_new("bigfusion", settings->http);
    token->redis = redis_new(settings->redis, settings->timeout_ms);
    return token;
}

static void forget(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static void take(char **target, const char *secret)
{
    char *copy = mem_strdup(secret);

    forget(target);
    *target = copy;
}

/* Whether the pair in the state file descends from the configured refresh token. */
static int was_begun(const struct token *token)
{
    return token->begun.length > 0 && strstr(token->begun.data, token->digest) != NULL;
}

/* Reads the state file, where there is one. A configured refresh token from which its pair does not
 * descend is a new authorization: it replaces the pair. */
static int load_file(struct token *token, struct error *err)
{
    const struct config_account *account = token->settings.account;
    struct token_state state;
    int there = token_file_read(&state, account->token_state_file);

    if (there < 0)
        return error_set(err, ERROR_TEMPORARY, "token_state_file of %s cannot be read",
                         account->name);
    if (there == 0) {
        forget(&token->filed);
        if (token->refresh == NULL) /* this is the first start */
            take(&token->refresh, account->refresh_token);
        return 0;
    }
    take(&token->filed, state.refresh);
    buffer_reset(&token->begun);
    buffer_printf(&token->begun, "%s", state.begun);
    if (was_begun(token)) {
        take(&token->access, state.access);
        take(&token->refresh, state.refresh);
        token->refresh_at_ms = state.refresh_at_ms;
        token->expires_at_ms = state.expires_at_ms;
    } else {
        forget(&token->access);
        take(&token->refresh, account->refresh_token);
    }
    token_state_clear(&state);
    return 0;
}

/* Whether another pusher has replaced the file since the pair in hand was asked for. Its pair is
 * newer. */
static int was_overtaken(const struct token *token)
{
    struct token_state state;
    int overtaken = 0;

    if (token_file_read(&state, token->settings.account->token_state_file) == 1)
        overtaken = token->filed == NULL || strcmp(token->filed, state.refresh) != 0;
    token_state_clear(&state);
    return overtaken;
}

/* Writes the pair to disk. It may be used only after that. */
static int save_file(struct token *token, struct error *err)
{
    struct token_state state = {.access = token->access,
                                .refresh = token->refresh,
                                .refresh_at_ms = token->refresh_at_ms,
                                .expires_at_ms = token->expires_at_ms};

    if (!was_begun(token))
        buffer_printf(&token->begun, "%s\n", token->digest);
    state.begun = token->begun.data;
    if (token_file_save(token->settings.account->token_state_file, token->beside, &state) != 0)
        return error_set(err, ERROR_TEMPORARY, "token_state_file of %s cannot be written: %s",
                         token->settings.account->name, strerror(errno));
    token->unsaved = 0;
    take(&token->filed, token->refresh);
    return 0;
}

void token_free(struct token *token)
{
    struct error ignored = {0};

    if (token == NULL)
        return;
    if (token->unsaved && !was_overtaken(token))
        save_file(token, &ignored); /* the last chance to save it: the refresh token before it is
                                       spent */
    forget(&token->access);
    forget(&token->refresh);
    forget(&token->refused_refresh);
    forget(&token->filed);
    unlink(token->beside); /* it was only reserved, and is not needed any more */
    free(token->beside);
    http_answer_clear(&token->answer);
    buffer_clear(&token->begun);
    http_free(token->http);
    redis_free(token->redis);
    pthread_mutex_destroy(&token->lock);
    free(token);
}

/* The value of the Authorization header: Basic base64(client_id:client_secret). New. */
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

/* Handles an answer of the token URL that refuses the refresh token. The error is permanent. */
static int note_refusal(struct token *token, const char *error, struct error *err)
{
    const char *name = token->settings.account->name;

    if (error != NULL && strcmp(error, "invalid_client") == 0)
        return error_set(err, ERROR_PERMANENT,
                         "client_id or client_secret of %s are refused (HTTP %d)", name,
                         token->answer.status);
    take(&token->refused_refresh, token->refresh);
    metric_add(token->alarms, 1);
    log_error("authorization_lost account=%s status=%d a person must authorize again: put the new "
              "refresh token into refresh_token_file and start again",
              name, token->answer.status);
    return error_set(err, ERROR_PERMANENT, "the refresh token of %s is refused: authorize again",
                     name);
}

/* Reads the new pair from the answer of the token URL. */
static int read_pair(struct token *token, struct error *err)
{
    yyjson_doc *doc = yyjson_read(token->answer.body.data, token->answer.body.length, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct token_pair pair;
    int rc = 0;

    if (token->answer.status == 200 && token_pair_of_answer(root, clock_now_ms(), &pair) == 0) {
        take(&token->access, pair.access);
        take(&token->refresh, pair.refresh);
        token->refresh_at_ms = pair.refresh_at_ms;
        token->expires_at_ms = pair.expires_at_ms;
        token->unsaved = 1;
    } else if (token->answer.status == 400 || token->answer.status == 401) {
        rc = note_refusal(token, yyjson_get_str(yyjson_obj_get(root, "error")), err);
    } else {
        rc = error_set(err, ERROR_TEMPORARY, "token request of %s: HTTP %d%s",
                       token->settings.account->name, token->answer.status,
                       token->answer.status == 200 ? " with an unreadable answer" : "");
    }
    yyjson_doc_free(doc);
    return rc;
}

/* Asks the token URL for a new pair. Both locks are held. */
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
        error_prefix(err, "token request of %s: ", account->name);
    else
        rc = read_pair(token, err);
    explicit_bzero(body.data, body.length);
    buffer_clear(&body);
    forget(&basic);
    return rc;
}

/* Whether the access token may be used: it has not expired and was not refused. */
static int is_alive(const struct token *token, struct text refused)
{
    return token->access != NULL && !token->unsaved && clock_now_ms() < token->expires_at_ms &&
           !(refused.length > 0 && text_is(refused, token->access));
}

static int is_fresh(const struct token *token, struct text refused)
{
    return is_alive(token, refused) && clock_now_ms() < token->refresh_at_ms;
}

/* Takes the lock in Redis, or prolongs it where it is ours. It is kept while a pair is not on disk
 * yet. @returns 1: it is ours; 0: another pusher has it; -1: error */
static int try_lock(struct token *token, const char *key, struct error *err)
{
    static const char script[] = "local held = redis.call('GET', KEYS[1]) "
                                 "if held and held ~= ARGV[1] then return 0 end "
                                 "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";
    redisReply *reply = redis_command(token->redis, err, "EVAL %s 1 %s %s %d", script, key,
                                      token->owner, token->unsaved ? UNSAVED_LOCK_MS : LOCK_MS);
    int taken;

    if (reply == NULL)
        return -1;
    taken = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    freeReplyObject(reply);
    return taken;
}

/* Reads the file, which another pusher may have written. @returns 1: a refresh is needed; 0: there
 * is a usable token; -1: error */
static int learn(struct token *token, struct text refused, struct error *err)
{
    if (load_file(token, err) != 0)
        return -1;
    if (is_fresh(token, refused))
        return 0;
    if (token->refused_refresh != NULL && strcmp(token->refused_refresh, token->refresh) == 0)
        return error_set(err, ERROR_PERMANENT,
                         "the refresh token of %s is refused: authorize again",
                         token->settings.account->name);
    return 1;
}

/* Takes the lock in Redis, or waits for another pusher that is refreshing. Where a pair in hand is
 * not on disk yet, it only has to be saved, so the file is not read over it. @returns 1: the lock
 * is ours; 0: there is a usable token; -1: error */
static int lock_or_learn(struct token *token, struct text refused, const char *key,
                         struct error *err)
{
    for (int i = 0; i < WAITS_MAX; i++) {
        int needed = token->unsaved ? 1 : learn(token, refused, err);
        int taken;

        if (needed != 1)
            return needed;
        taken = try_lock(token, key, err);
        if (taken != 0)
            return taken;
        if (is_alive(token, refused))
            return 0; /* the old token can be used until the other pusher has refreshed */
        if (stop_wait_ms(WAIT_FOR_OTHER_MS))
            break;
    }
    return error_set(err, ERROR_TEMPORARY, "another pusher refreshes the token of %s",
                     token->settings.account->name);
}

/* Makes sure that the new pair can be saved before it is asked for, because a refresh spends the
 * refresh token. The reserved file goes again where there is no pair to save. */
static int ask_if_room(struct token *token, struct error *err)
{
    int rc;

    if (token_file_reserve(token->beside) != 0)
        return error_set(err, ERROR_TEMPORARY, "token_state_file of %s cannot be written: %s",
                         token->settings.account->name, strerror(errno));
    rc = ask_for_pair(token, err);
    if (rc != 0)
        unlink(token->beside);
    return rc;
}

/* Gets a new pair and saves it. The lock in Redis is held. */
static int refresh_and_save(struct token *token, struct text refused, struct error *err)
{
    if (token->unsaved && was_overtaken(token))
        token->unsaved = 0;
    if (!token->unsaved) {
        /* Another pusher may have refreshed between our look and the lock, so the file is read
         * again. */
        if (load_file(token, err) != 0)
            return -1;
        if (is_fresh(token, refused))
            return 0;
        if (ask_if_room(token, err) != 0)
            return -1;
    }
    if (save_file(token, err) != 0)
        return -1;
    log_info("token_refreshed account=%s", token->settings.account->name);
    return 0;
}

/* Refreshes with the lock in Redis; the mutex is held. While the pair in hand is not on disk, the
 * lock is kept, because another pusher would use the refresh token that is spent. */
static int refresh_under_lock(struct token *token, struct text refused, struct error *err)
{
    static const char unlock[] =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";
    char *key =
        mem_printf("%s:token-lock:%s", token->settings.prefix, token->settings.account->name);
    struct error ignored = {0};
    int rc = lock_or_learn(token, refused, key, err);

    if (rc == 1) {
        rc = refresh_and_save(token, refused, err);
        if (token->unsaved)
            try_lock(token, key, &ignored); /* prolongs the lock */
        else
            freeReplyObject(redis_command(token->redis, &ignored, "EVAL %s 1 %s %s", unlock, key,
                                          token->owner));
    }
    free(key);
    return rc;
}

/* Refreshes; the mutex is held. For a moment after a failure all callers get the same error, so
 * that they do not wait for one refresh after the other. */
static int refresh(struct token *token, struct text refused, struct error *err)
{
    int rc;

    if (token->failure.kind != ERROR_NONE && clock_monotonic_ms() < token->failed_until_ms) {
        *err = token->failure;
        return -1;
    }
    rc = refresh_under_lock(token, refused, err);
    error_clear(&token->failure);
    metric_set(token->failing, rc != 0);
    metric_set(token->expiry, token->expires_at_ms);
    if (rc == 0)
        return 0;
    metric_add(token->failures, 1);
    token->failure = *err;
    token->failed_until_ms = clock_monotonic_ms() + AGAIN_MS;
    return -1;
}

int token_current(struct token *token, struct buffer *target, struct error *err)
{
    int rc = 0;

    pthread_mutex_lock(&token->lock);
    if (!is_fresh(token, (struct text){0})) {
        rc = refresh(token, (struct text){0}, err);
        if (rc != 0 && is_alive(token, (struct text){0})) {
            log_warn("early refresh failed, the token lives on account=%s error=\"%s\"",
                     token->settings.account->name, err->text);
            token->refresh_at_ms = clock_now_ms() + AGAIN_EARLY_MS;
            error_clear(err);
            rc = 0;
        }
    }
    if (rc == 0)
        buffer_append(target, token->access, strlen(token->access));
    pthread_mutex_unlock(&token->lock);
    return rc;
}

int token_refused(struct token *token, struct text refused, struct error *err)
{
    int rc = 0;

    pthread_mutex_lock(&token->lock);
    if (!is_fresh(token, refused))
        rc = refresh(token, refused, err);
    pthread_mutex_unlock(&token->lock);
    return rc;
}
