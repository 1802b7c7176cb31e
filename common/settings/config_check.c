/* config_check.c - the checks that concern more than one setting. */
#include "settings/config.h"

#include <string.h>

static int check_store(struct config *config, int index, struct error *err)
{
    struct config_store *store = &config->stores[index];

    store->account_index = -1;
    for (int i = 0; i < config->account_count; i++)
        if (strcmp(config->accounts[i].name, store->account) == 0)
            store->account_index = i;
    if (store->account_index < 0)
        return error_set(
            err, ERROR_PERMANENT,
            "%s:%d: [store %s] account = %s: allowed: the NAME of an [infusionsoft NAME] "
            "section",
            config->path, store->account_line, store->name, store->account);
    for (int i = 0; i < index; i++) {
        const struct config_store *other = &config->stores[i];

        if (strcmp(other->hash, store->hash) == 0)
            return error_set(
                err, ERROR_PERMANENT,
                "%s:%d: [store %s] hash = %s: [store %s] has the same; allowed: each store "
                "once",
                config->path, store->hash_line, store->name, store->hash, other->name);
        if (strcmp(other->code, store->code) == 0 && strcmp(other->account, store->account) == 0)
            return error_set(
                err, ERROR_PERMANENT,
                "%s:%d: [store %s] code = %s: [store %s] has the same and the same account; "
                "allowed: a code of its own for each store of an account",
                config->path, store->code_line, store->name, store->code, other->name);
    }
    return 0;
}

static int check_account(const struct config *config, const struct config_account *account,
                         int program, struct error *err)
{
    const char *missing = NULL;

    if (!(program & (PROGRAM_PUSHER | PROGRAM_INSPECTOR)))
        return 0;
    if (account->auth == AUTH_KEY && account->key_file[0] == '\0')
        missing = "key_file";
    if (account->auth == AUTH_OAUTH && account->client_id[0] == '\0')
        missing = "client_id";
    if (account->auth == AUTH_OAUTH && account->client_secret_file[0] == '\0')
        missing = "client_secret_file";
    if (account->auth == AUTH_OAUTH && account->refresh_token_file[0] == '\0')
        missing = "refresh_token_file";
    if (account->auth == AUTH_OAUTH && account->token_state_file[0] == '\0')
        missing = "token_state_file";
    if (missing == NULL)
        return 0;
    return error_set(err, ERROR_PERMANENT,
                     "%s:%d: [infusionsoft %s] %s is missing; auth = %s needs it", config->path,
                     account->line, account->name, missing,
                     account->auth == AUTH_KEY ? "key" : "oauth");
}

/* A payment needs an order, and its type: no type is sure to be in every account. */
static int check_payments(const struct config *config, const struct config_store *store,
                          struct error *err)
{
    if (store->payments == PAYMENTS_OFF)
        return 0;
    if (config->accounts[store->account_index].orders == ORDERS_OFF)
        return error_set(err, ERROR_PERMANENT,
                         "%s:%d: [store %s] payments = %s: its account has orders = off; allowed "
                         "there: payments = off",
                         config->path, store->line, store->name,
                         store->payments == PAYMENTS_PAID ? "paid" : "all");
    if (store->payment_type[0] != '\0')
        return 0;
    return error_set(
        err, ERROR_PERMANENT,
        "%s:%d: [store %s] payment_type is missing; allowed with payments = %s: one of "
        "the account's Manual Payment Types",
        config->path, store->line, store->name, store->payments == PAYMENTS_PAID ? "paid" : "all");
}

/* SKUs are the shop's, so the rule changes them. The Store Code is a setting: it is refused, because
 * two codes that become one name would fire each other's goals. */
static int check_goals(const struct config *config, const struct config_store *store,
                       struct error *err)
{
    if (store->goal_call_names == GOAL_CALL_NAMES_AS_IS ||
        store->code[strcspn(store->code, "-_")] == '\0')
        return 0;
    return error_set(err, ERROR_PERMANENT,
                     "%s:%d: [store %s] code = %s: allowed with goal_call_names = letters_digits: "
                     "letters and digits",
                     config->path, store->code_line, store->name, store->code);
}

/* The API makes a note only in the name of a user, and which one is the merchant's choice. */
static int check_after_sync(const struct config *config, const struct config_store *store,
                            struct error *err)
{
    const struct config_account *account = &config->accounts[store->account_index];

    if (store->after_sync != AFTER_SYNC_NOTE || account->note_user_id > 0)
        return 0;
    return error_set(err, ERROR_PERMANENT,
                     "%s:%d: [infusionsoft %s] note_user_id is missing; [store %s] after_sync = "
                     "note needs it: the id of a user of the account",
                     config->path, account->line, account->name, store->name);
}

/* A custom field is an order's. */
static int check_fields(const struct config *config, const struct config_store *store,
                        struct error *err)
{
    if (store->fields.count == 0 || config->accounts[store->account_index].orders != ORDERS_OFF)
        return 0;
    return error_set(err, ERROR_PERMANENT,
                     "%s:%d: [store %s] field.%s: its account has orders = off; allowed there: no "
                     "field settings",
                     config->path, store->line, store->name, store->fields.list[0].label);
}

/* A password is given once: with two, nobody would know which one is used. */
static int check_passwords(const struct config *config, struct error *err)
{
    struct redis_url url = {0};
    int twice;

    if (config->redis.server.password_file[0] != '\0') {
        if (redis_url_parse(&url, config->redis.server.url, err) != 0)
            return -1;
        twice = url.password != NULL;
        redis_url_clear(&url);
        if (twice)
            return error_set(err, ERROR_PERMANENT,
                             "%s: [redis] password_file is given, and url has a password too; "
                             "allowed: one of them",
                             config->path);
    }
    for (int i = 0; i < config->librdkafka_count; i++)
        if (config->kafka.sasl_password_file[0] != '\0' &&
            strcmp(config->librdkafka[i].name, "sasl.password") == 0)
            return error_set(err, ERROR_PERMANENT,
                             "%s: [kafka] sasl_password_file is given, and [librdkafka] "
                             "sasl.password too; allowed: one of them",
                             config->path);
    return 0;
}

/* A certificate needs its key. The other tls_ settings are refused without rediss://, because
 * whoever sets one believes that the connection is encrypted. */
static int check_redis(const struct config *config, struct error *err)
{
    const struct redis_server *server = &config->redis.server;

    if ((server->tls_cert_file[0] == '\0') != (server->tls_key_file[0] == '\0'))
        return error_set(err, ERROR_PERMANENT,
                         "%s: [redis] %s is missing; allowed: tls_cert_file and tls_key_file, or "
                         "neither",
                         config->path,
                         server->tls_key_file[0] == '\0' ? "tls_key_file" : "tls_cert_file");
    if (strncmp(server->url, "rediss://", 9) != 0 &&
        (server->tls_ca_file[0] != '\0' || server->tls_cert_file[0] != '\0' ||
         server->tls_server_name[0] != '\0'))
        return error_set(err, ERROR_PERMANENT,
                         "%s: [redis] url is not encrypted, yet a tls_ setting is given; allowed: "
                         "rediss://..., or none of the tls_ settings",
                         config->path);
    return 0;
}

int config_check(struct config *config, int program, struct error *err)
{
    for (int i = 0; i < config->store_count; i++)
        if (check_store(config, i, err) != 0 ||
            check_payments(config, &config->stores[i], err) != 0 ||
            check_goals(config, &config->stores[i], err) != 0 ||
            check_after_sync(config, &config->stores[i], err) != 0 ||
            check_fields(config, &config->stores[i], err) != 0)
            return -1;
    for (int i = 0; i < config->account_count; i++)
        if (check_account(config, &config->accounts[i], program, err) != 0)
            return -1;
    if (check_passwords(config, err) != 0 || check_redis(config, err) != 0)
        return -1;
    if (config->kafka.min_insync_replicas > config->kafka.replication)
        return error_set(err, ERROR_PERMANENT,
                         "%s: [kafka] min_insync_replicas = %lld: allowed: at most replication = "
                         "%lld",
                         config->path, (long long)config->kafka.min_insync_replicas,
                         (long long)config->kafka.replication);
    if (config->pusher.http_timeout_s >= config->pusher.lease_s)
        return error_set(err, ERROR_PERMANENT,
                         "%s: [pusher] lease_s = %lld: allowed: more than http_timeout_s = %lld",
                         config->path, (long long)config->pusher.lease_s,
                         (long long)config->pusher.http_timeout_s);
    if (config->pusher.visibility_delay_s < config->pusher.http_timeout_s)
        return error_set(
            err, ERROR_PERMANENT,
            "%s: [pusher] visibility_delay_s = %lld: allowed: at least http_timeout_s = %lld",
            config->path, (long long)config->pusher.visibility_delay_s,
            (long long)config->pusher.http_timeout_s);
    return 0;
}
