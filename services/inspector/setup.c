#include "command.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/stop.h"
#include "infusionsoft/infusionsoft.h"
#include "infusionsoft/token.h"
#include "ledger/ledger.h"
#include "net/http.h"
#include "net/redis_watch.h"

enum { REDIS_TIMEOUT_MS = 5000, THROTTLED_MAX = 20 };

static int failed(const struct infusionsoft *client, const char *account, struct error *err)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(client);

    if (answer->outcome == INFUSIONSOFT_FORBIDDEN)
        return error_set(
            err, ERROR_PERMANENT,
            "account %s: %s: orders are refused; is its e-commerce module switched on?", account,
            answer->error.text);
    /* Without a status nothing was sent, because there is no token; the error says why. */
    if (answer->outcome == INFUSIONSOFT_UNAUTHORIZED && answer->status != 0)
        return error_set(err, ERROR_PERMANENT, "account %s: %s: the credential is refused", account,
                         answer->error.text);
    return error_set(err, answer->error.kind, "account %s: %s", account, answer->error.text);
}

/* After a 429: waits as long as the account asks. @returns 0 when the call may be repeated */
static int wait_throttled(const struct infusionsoft *client, int *times)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(client);

    return answer->outcome == INFUSIONSOFT_THROTTLED && ++*times <= THROTTLED_MAX
               ? stop_wait_ms(answer->wait_ms)
               : -1;
}

static enum infusionsoft_outcome call(struct infusionsoft *client, const char *method,
                                      const char *path, struct text body)
{
    enum infusionsoft_outcome outcome;
    int times = 0;

    do
        outcome = infusionsoft_call(client, method, path, NULL, body);
    while (wait_throttled(client, &times) == 0);
    return outcome;
}

static enum infusionsoft_outcome find(struct infusionsoft *client, struct infusionsoft_field *field)
{
    enum infusionsoft_outcome outcome;
    int times = 0;

    do
        outcome = infusionsoft_find_field(client, field);
    while (wait_throttled(client, &times) == 0);
    return outcome;
}

static enum infusionsoft_outcome create(struct infusionsoft *client)
{
    return call(client, "POST", "/orders/model/customFields",
                text_of("{\"label\":\"" INFUSIONSOFT_FIELD_LABEL "\",\"field_type\":\"TEXT\"}"));
}

/* Checks that the credential is of the right account, before anything is written into it. */
static int check_credential(struct infusionsoft *client, const char *account, struct error *err)
{
    call(client, "GET", "/oauth/connect/userinfo", (struct text){0});
    if (infusionsoft_check_user(client) != INFUSIONSOFT_OK)
        return failed(client, account, err);
    return infusionsoft_check_tenant(client, err);
}

/* Looks for the order custom field, creates it where it is missing, and looks again. Only a field
 * that is then found counts as there. */
static int set_up_field(struct infusionsoft *client, const char *account, struct error *err)
{
    struct infusionsoft_field field;
    int created = 0;

    if (find(client, &field) != INFUSIONSOFT_OK)
        return failed(client, account, err);
    if (field.id[0] == '\0') {
        enum infusionsoft_outcome outcome = create(client);

        /* The answer may have been lost although the field was created. The look below tells. */
        if (outcome != INFUSIONSOFT_OK && outcome != INFUSIONSOFT_IN_DOUBT)
            return failed(client, account, err);
        created = 1;
        if (find(client, &field) != INFUSIONSOFT_OK)
            return failed(client, account, err);
        if (field.id[0] == '\0')
            return error_set(
                err, ERROR_TEMPORARY,
                "account %s: the order custom field was asked for and is not there yet", account);
    }
    printf("account %s: order custom field \"" INFUSIONSOFT_FIELD_LABEL "\" %s (id %s, name %s)\n",
           account, created ? "created" : "is there already", field.id, field.name);
    return 0;
}

/* The client of one account, and the objects that it uses. */
struct connection {
    struct http *http;
    struct token *token; /* where auth = oauth */
    struct infusionsoft *client;
};

static struct connection connect_account(const struct config *config,
                                         const struct config_account *account)
{
    struct token_settings token = {.account = account,
                                   .redis = &config->redis.server,
                                   .http = &config->http,
                                   .prefix = config->kafka.topic_prefix,
                                   .timeout_ms = REDIS_TIMEOUT_MS};
    struct connection connection = {.http = http_new("bigfusion", &config->http)};
    struct infusionsoft_settings settings = {.account = account,
                                             .http = connection.http,
                                             .timeout_ms = config->pusher.http_timeout_s * 1000};

    if (account->auth == AUTH_OAUTH)
        connection.token = token_new(&token);
    settings.token = connection.token;
    connection.client = infusionsoft_new(&settings);
    return connection;
}

static void disconnect(struct connection *connection)
{
    infusionsoft_free(connection->client);
    token_free(connection->token);
    http_free(connection->http);
}

/* Counts the accounts that have the order custom field and those that do not, before anything is
 * written. An account that refuses its orders (no e-commerce module) is in neither count. */
struct fields {
    int found;
    int missing;
};

static int look_into(struct infusionsoft *client, const struct config_account *account,
                     struct fields *fields, struct error *err)
{
    struct infusionsoft_field field;
    enum infusionsoft_outcome outcome;

    if (check_credential(client, account->name, err) != 0)
        return -1;
    if (account->orders == ORDERS_OFF) /* it tells nothing about the ledger */
        return 0;
    outcome = find(client, &field);
    if (outcome == INFUSIONSOFT_FORBIDDEN)
        return 0;
    if (outcome != INFUSIONSOFT_OK)
        return failed(client, account->name, err);
    if (field.id[0] != '\0')
        fields->found++;
    else
        fields->missing++;
    return 0;
}

static int look_everywhere(const struct config *config, struct fields *fields, struct error *err)
{
    for (int i = 0; i < config->account_count; i++) {
        const struct config_account *account = &config->accounts[i];
        struct connection connection = connect_account(config, account);
        int rc = look_into(connection.client, account, fields, err);

        disconnect(&connection);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* Starts a new ledger. It is called when no account has the order custom field: then no order of
 * ours is in any account, so an empty ledger is right. */
static int start_ledger(const struct config *config, struct error *err)
{
    struct ledger_settings settings = ledger_settings_of(config);
    struct ledger *ledger = ledger_new(&settings);
    enum ledger_answer answer;
    int started = 0;
    int rc = ledger_hello(ledger, &answer, err);

    if (rc == 0 && answer == LEDGER_LOST)
        rc = ledger_start(ledger, &started, err);
    if (rc == 0)
        printf("delivery ledger: %s\n", started ? "started" : "is there already");
    ledger_free(ledger);
    return rc;
}

/* Sets up each account, also where another one failed. */
static int set_up_fields(const struct config *config, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < config->account_count; i++) {
        const struct config_account *account = &config->accounts[i];
        struct connection connection;
        struct error own = {0};

        if (account->orders == ORDERS_OFF) {
            printf("account %s: orders = off, so it needs no order custom field\n", account->name);
            continue;
        }
        connection = connect_account(config, account);
        if (set_up_field(connection.client, account->name, &own) != 0) {
            if (rc == 0)
                *err = own;
            else
                log_error("setup error=\"%s\"", own.text);
            rc = -1;
        }
        disconnect(&connection);
    }
    return rc;
}

/* The ledger is started before the fields are created, because a field that exists tells every
 * later run that the ledger was started. Where all accounts refuse orders, nothing is created, and
 * the ledger is not started either: an order of ours may be in one of them. The first pusher then fills it
 * in from Kafka, as after a loss. */
int setup_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct fields fields = {0};

    (void)line;
    if (redis_refuse_cluster(config, err) != 0)
        return -1;
    if (look_everywhere(config, &fields, err) != 0)
        return -1;
    if (fields.found == 0 && fields.missing > 0 && start_ledger(config, err) != 0)
        return -1;
    return set_up_fields(config, err);
}
