#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#include "api_internal.h"
#include "routes.h"

enum { WORD_MAX = 40, ADDRESS_MIN = 3, ADDRESS_MAX = 320 };

/* The thread's answerer, opened when it is needed first. @returns NULL with the reply made */
static struct answerer *answerer_of(struct worker *worker, struct reply *reply)
{
    struct error err = {0};

    if (worker->answerer == NULL)
        worker->answerer = answerer_new(worker->answers, &err);
    if (worker->answerer == NULL)
        reply_error(reply, 503, "index_unavailable", "The index cannot be read now: %s", err.text);
    return worker->answerer;
}

/* Takes the answer; NULL: the fault is the answer. */
static void give(struct reply *reply, json_t *answer, const struct answer_fault *fault)
{
    if (answer != NULL)
        api_give(reply, answer);
    else
        reply_error(reply, fault->status, fault->code, "%s", fault->text);
}

/* Whether it is 1 to 40 letters, digits, - and _: ids and names. Anything else names nothing. */
static int is_word(const char *text)
{
    size_t length =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    return length >= 1 && length <= WORD_MAX && text[length] == '\0';
}

/* Whether it could be an address: long enough, not too long, without control characters. */
static int is_address(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return 0;
    return length >= ADDRESS_MIN && length <= ADDRESS_MAX;
}

static void why(void *data, const struct request *request, struct reply *reply)
{
    struct answerer *answerer = answerer_of(data, reply);
    struct answer_why question = {
        .order = request_argument(request, "order"),
        .infusionsoft = request_argument(request, "infusionsoft"),
        .account = request_argument(request, "account"),
    };
    struct answer_fault fault;

    if (answerer == NULL)
        return;
    if ((question.order == NULL) == (question.infusionsoft == NULL))
        reply_error(reply, 400, "bad_argument",
                    "Name the order by one of the arguments order and infusionsoft.");
    else if (question.account != NULL && question.infusionsoft == NULL)
        reply_error(reply, 400, "bad_argument", "account goes with infusionsoft only.");
    else if ((question.infusionsoft != NULL && !is_word(question.infusionsoft)) ||
             (question.account != NULL && !is_word(question.account)))
        reply_error(reply, 400, "bad_argument",
                    "infusionsoft and account have 1 to 40 letters, digits, - and _.");
    else
        give(reply, answer_why(answerer, &question, &fault), &fault);
}

static void why_email(void *data, const struct request *request, struct reply *reply)
{
    struct answerer *answerer = answerer_of(data, reply);
    json_t *body = answerer == NULL ? NULL : api_read_body(request, "|email|email_digest|", reply);
    struct answer_why question = {0};
    struct answer_fault fault;

    if (body == NULL)
        return;
    question.email = json_string_value(json_object_get(body, "email"));
    question.email_digest = json_string_value(json_object_get(body, "email_digest"));
    if (json_object_size(body) != 1 || (question.email == NULL) == (question.email_digest == NULL))
        reply_error(reply, 400, "bad_body", "The body must have email or email_digest, a string.");
    else if (question.email != NULL && !is_address(question.email))
        reply_error(reply, 400, "bad_email", "email has 3 to 320 characters.");
    else
        give(reply, answer_why(answerer, &question, &fault), &fault);
    json_decref(body);
}

static void orders(void *data, const struct request *request, struct reply *reply)
{
    struct answerer *answerer = answerer_of(data, reply);
    struct answer_orders question = {
        .list = request_argument(request, "list"),
        .store = request_argument(request, "store"),
        .reason = request_argument(request, "reason"),
        .since = request_argument(request, "since"),
        .older = request_argument(request, "older"),
        .limit = request_argument(request, "limit"),
        .after = request_argument(request, "after"),
    };
    struct answer_fault fault;

    if (answerer != NULL)
        give(reply, answer_orders(answerer, &question, &fault), &fault);
}

static void status(void *data, const struct request *request, struct reply *reply)
{
    struct answerer *answerer = answerer_of(data, reply);
    struct answer_fault fault;

    (void)request;
    if (answerer != NULL)
        give(reply, answer_status(answerer, &fault), &fault);
}

static void series(void *data, const struct request *request, struct reply *reply)
{
    struct answerer *answerer = answerer_of(data, reply);
    struct answer_fault fault;

    if (answerer != NULL)
        give(reply, answer_series(answerer, request_argument(request, "hours"), &fault), &fault);
}

/* What all threads share. */
struct shared {
    const struct config *config;
    struct answers *answers;
};

static void *worker_new(void *context)
{
    const struct shared *shared = context;
    struct worker *worker = mem_alloc(sizeof(*worker));

    worker->config = shared->config;
    worker->answers = shared->answers;
    return worker;
}

static void worker_free(void *data)
{
    struct worker *worker = data;

    answerer_free(worker->answerer);
    free(worker);
}

struct serve *api_start(const struct config *config, struct answers *answers, struct error *err)
{
    static struct serve_route routes[ROUTE_COUNT];
    static struct shared shared;
    static const serve_answer table[ROUTE_COUNT] = {
        [ROUTE_WHY] = why,       [ROUTE_WHY_EMAIL] = why_email, [ROUTE_ORDERS] = orders,
        [ROUTE_STATUS] = status, [ROUTE_SERIES] = series,       [ROUTE_RETRY] = api_retry,
        [ROUTE_DROP] = api_drop, [ROUTE_PAUSE] = api_pause,     [ROUTE_RESUME] = api_resume,
    };
    struct serve_settings settings = {
        .listen = config->console.listen,
        .token = config->console.token,
        .routes = routes,
        .route_count = ROUTE_COUNT,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .context = &shared,
    };

    shared = (struct shared){config, answers};
    routes_make(routes, table);
    return serve_start(&settings, err);
}
