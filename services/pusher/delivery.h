/* delivery.h - one payload on its way into an account: what the steps share. Private to the pusher.
 * A worker has one struct delivery and uses it for one job after the other. */
#ifndef PUSHER_DELIVERY_H
#define PUSHER_DELIVERY_H

#include <stdint.h>
#include <yyjson.h>

#include "base/digest.h"
#include "infusionsoft/infusionsoft.h"
#include "ledger/ledger.h"
#include "net/health.h"
#include "record/event.h"
#include "record/topic.h"
#include "settings/config.h"
#include "stage/stage.h"
#include "account.h"
#include "claims.h"
#include "evidence.h"
#include "publisher.h"
#include "rebuild.h"

/* What became of a goal; the names stand in the ledger, in `delivered` and in the metric. */
enum goal_result {
    GOAL_SENT = 0,
    GOAL_IN_DOUBT,
    GOAL_REFUSED,
    GOAL_NOT_ACHIEVED, /* answered 200, `success` false */
    GOAL_RESULT_COUNT
};
extern const char *const pusher_goal_results[GOAL_RESULT_COUNT];

/* What the whole process shares. */
struct pusher {
    const struct config *config;
    struct topics topics;
    struct stage_settings stage_settings;
    struct stage *stage;
    struct account **accounts; /* by config's order */
    struct publisher *publisher;
    struct rebuild *rebuild;
    struct claims *claims; /* contacts and products in hand */
    char owner[33];        /* random: whose their leases are */
    struct ledger_settings ledger_settings;
    struct ledger_seen *seen; /* of all workers and the rebuild; in ledger_settings too */
    struct metric *alarms_double_found;
    struct metric *alarms_fenced;
    struct metric *alarms_total_differs;
    struct metric *calls;
    struct metric *lookups;
    struct metric *goals[GOAL_RESULT_COUNT];
};

/* One record in our hands. */
struct job {
    struct job *next;
    char owner[64];    /* whose the order's lease is: this record's */
    int64_t queued_ms; /* monotonic; since when it waits for any worker */
    struct ticket *ticket;
    const struct event *event; /* borrowed from the ticket */
    yyjson_doc *doc;           /* numbers as text; NULL: the value is no JSON */
    struct text account;
    struct text email;
    uint32_t contact_hash;
    int account_index; /* -1: no such account */
    int held; /* grant is ours already: set aside in the middle, go on without asking again */
    struct ledger_grant grant;
    int64_t begun_ms;         /* monotonic; when a worker first took it in hand */
    int64_t call_count;       /* by this process */
    struct evidence evidence; /* of what was before and, as far as it is known, of now */
    int recalled;             /* how often the entry was asked for it: once counts */
    int look_later;           /* it was looked up and not there (rule 2) */
    struct account_trial trials[ACCOUNT_PART_COUNT];
};

/* A product of the payload. */
struct product {
    struct text sku; /* its identity */
    yyjson_val *body;
    char digest[DIGEST_BYTES];
    char id[64]; /* "": not known yet */
};

enum { DELIVERY_ANSWER_BYTES = 1025, DELIVERY_DETAIL_BYTES = 160 };

/* A job is set aside for so long at once; what takes longer is set aside again. */
enum { DELIVERY_LATER_MAX_MS = 120000 };

struct delivery {
    struct pusher *pusher;
    struct ledger *ledger;
    struct http *http;
    struct infusionsoft **clients; /* by account; NULL until needed */

    int gave_up_redis; /* while stopping */

    /* of the job in hand */
    struct job *job;
    struct account *account;
    struct infusionsoft *client;
    struct ledger_grant *grant; /* the job's */
    char digest[DIGEST_BYTES];
    int withdrawn;
    int replay;
    int look_was_asked; /* the record came back only to be looked up once more */
    int64_t modified_at;
    int64_t attempt; /* failures of its own before this one */
    int64_t placed_at;
    int64_t polled_at;
    const struct config_store *store;
    yyjson_val *payload;
    yyjson_val *contact_body;
    yyjson_val *order_body;
    yyjson_val *goals;
    struct text external_key;
    char contact_digest[DIGEST_BYTES];      /* of the address */
    char contact_body_digest[DIGEST_BYTES]; /* of what we want to be there */
    char contact_id[64];
    int contact_cached; /* the id came from the cache, not from the account */
    struct product *products;
    int product_count;
    int product_capacity;
    int products_cached;
    struct ledger_peek *peeks; /* contact, then the products */
    int peeked;                /* they were answered together with acquire */
    struct infusionsoft_field field;
    char currency[8];
    int64_t wait_ms;         /* STEP_LATER */
    enum reason reason;      /* STEP_REFUSED, STEP_FAILED */
    const char *failed_step; /* for people: "contact", "order", ... */
    char detail[DELIVERY_DETAIL_BYTES];
    char answer[DELIVERY_ANSWER_BYTES];
    int64_t calls_before;
    char called[64];     /* the last call: method and first part of the path */
    int64_t begun_ms;    /* monotonic: when the ledger was last asked to begin a step */
    int throttled_count; /* 429s in a row */
    int throttled_ms;    /* and how long they were waited for */
    int combines; /* end and begin may be one round trip: nothing to be waited for in between */
    char order_id[64]; /* "": not made yet */
    struct buffer
        pending_step; /* made, and its end not recorded yet: order, contact or a goal; "": none */
    char pending_result[64];
    struct buffer query;
    struct buffer path;
    struct buffer step;
    struct buffer attempt_text;
    struct buffer not_before_text;
};

/* How a step ended. Anything but STEP_OK ends the delivery for now. */
enum step {
    STEP_OK = 0,
    STEP_AGAIN,     /* the grant is void: acquire again */
    STEP_LATER,     /* set aside for wait_ms with the grant in hand, no attempt charged */
    STEP_STOPPED,   /* the process stops; nothing was decided */
    STEP_FAILED,    /* this record failed for now */
    STEP_CLOSED,    /* the account is closed */
    STEP_NO_ORDERS, /* the account has no e-commerce module */
    STEP_REFUSED,   /* for good: reason, detail, answer */
};

/* the record (payload.c) */

/** @brief Parses the record and reads as much as is needed to hand it to the right worker: nothing
 * is checked yet. job->doc is new, the rest borrowed from it. */
void payload_open(struct job *job, const struct event *event);

/** @brief Checks the job's record whole and fills in what the delivery needs of it; borrowed from
 * it. -1: it is not a payload, err says why. */
int payload_read(struct delivery *d, struct error *err);

/** @brief A member's text or number as it is written there; empty when absent. Borrowed. */
struct text payload_member(yyjson_val *object, const char *name);

/* ledger, asked until it answers (entry.c) */

/** @brief ledger_begin(); begun: it was begun already by the call before. OK, AGAIN, FAILED or
 * STOPPED, as all of these. */
enum step entry_begin(struct delivery *d, const struct ledger_grant *grant, const char *step);

/** @brief ledger_end() and, next not NULL, begin. called: a call with a possible effect went out;
 * FENCED is an alarm. */
enum step entry_end(struct delivery *d, struct ledger_grant *grant, const char *step,
                    const char *result, const char *next, int called);

enum step delivery_finish(struct delivery *d, struct ledger_grant *grant, enum ledger_finish how,
                          const char *step, const char *result, const char *note, int called);

enum step entry_acquire(struct delivery *d, const struct ledger_request *request,
                        struct ledger_grant *grant, struct ledger_peek *peeks, int count);

enum step entry_peek(struct delivery *d, struct ledger_peek *peeks, int count);
enum step entry_forget(struct delivery *d, enum ledger_kind kind, const char *digest,
                       const char *stale_id);
enum step delivery_epoch(struct delivery *d, int64_t *epoch);

/* calls (call.c) */

/**
 * @brief A call that may be repeated: waits out 429s. Anything but OK went through
 * call_failed(), but for REFUSED and FORBIDDEN, which are STEP_REFUSED with answer and detail
 * set.
 */
enum step call_read(struct delivery *d, const char *method, const char *path, const char *query,
                    struct text body);

/**
 * @brief A call that must not happen twice: begin (unless begun), then the call, repeated only
 * after a 429.
 * @param outcome  out, when STEP_OK: what came of it; the caller ends the step
 */
enum step call_write(struct delivery *d, const struct ledger_grant *grant, const char *step,
                     int begun, const char *path, const char *query, struct text body,
                     enum infusionsoft_outcome *outcome);

/** @brief What a failed outcome of the last call means: closes the account where it is its failure.
 * Never STEP_OK. */
enum step call_failed(struct delivery *d, enum infusionsoft_outcome outcome);

/**
 * @brief A temporary failure whose detail is kept: is it this record's (STEP_FAILED), or the
 * account's (STEP_CLOSED)? A call that no permission can hide tells.
 */
enum step call_failed_or_closed(struct delivery *d);

/** @brief 403 where there is no module to be missing: the credential may not do it for any record.
 * STEP_CLOSED. */
enum step call_forbidden(struct delivery *d);

/** @brief A 2xx of the last call says nothing: what is missing was told to the client already
 * (NULL), or is told here. As call_failed() in doubt. */
enum step call_says_nothing(struct delivery *d, const char *missing);

/** @brief 403 to a call about orders or products: the e-commerce module is missing, or may not be
 * written. STEP_NO_ORDERS. */
enum step call_no_orders(struct delivery *d);

/** @brief Keeps answer and detail of the last call for the record. */
void call_keep_answer(struct delivery *d);

/** @brief Whose regions the last answer refuses, as merge_refused_regions(); 0 unless it is a 400.
 */
unsigned call_refused_regions(const struct delivery *d);

/* looking things up, and the leases of contacts and products (lookup.c) */

enum { LOOKUP_PAGES_MAX = 50, LOOKUP_PAGE_SIZE = 100 };

/* A list call, page by page; d->query has its query. Embedded; release with buffer_clear(&token).
 */
struct lookup_pages {
    const char *path;
    const char *member; /* of the answer that has the list */
    struct buffer token;
    size_t query_length;
    int read_count;
    int ended;
};

/* Whether an item of a list is what is looked for. */
enum match {
    MATCH_NO = 0,
    MATCH_YES,
    MATCH_UNCLEAR, /* what would be compared is not there */
};

/** @brief The next page's list, borrowed until the next call; NULL after the last one. Steps as
 * call_read(); an answer without the list and FAILED where there are more pages than are read
 * are failures too: what was not seen is not known to be missing. */
enum step lookup_next_page(struct delivery *d, struct lookup_pages *pages, yyjson_val **list);

/** @brief Ids are numbers in text: the lowest one found counts. @returns 1 when its was taken into
 * id ("": none yet) */
int lookup_take_lower(char id[64], const char *its);

/** @brief Acquires a contact or product. OK: done, its id is set; or ours to settle, id unchanged.
 * LATER: another one works on it. grant is to be cleared either way. */
enum step shared_take(struct delivery *d, const struct ledger_request *request,
                      const char *step_name, struct ledger_grant *grant, char id[64]);

/** @brief It was looked up and is not there: OK, it may be made; LATER, it may not be visible yet.
 */
enum step shared_wait_until_visible(struct delivery *d, struct ledger_grant *grant,
                                    const char *step_name);

/** @brief Gives a claimed one back: done with its id where settled is OK, else for the next one;
 * while it is waited for (LATER) its lease stays with the process.
 * @returns settled, or what the ledger said to it */
enum step shared_release(struct delivery *d, const struct ledger_request *request,
                         struct ledger_grant *grant, const char *step_name, enum step settled,
                         const char *id);

/** @brief Lists a step that is missing of the order, once. answer: NULL: the kept one. It stays
 * with the job, also while that is set aside. */
void delivery_add_incomplete(struct delivery *d, const char *step, const char *answer);

/** @brief What the entry knows of earlier deliveries becomes the job's, once. */
void delivery_recall(struct delivery *d);

/** @brief The evidence as of now; its list is borrowed from the job. */
struct evidence delivery_evidence(const struct delivery *d);

/* steps, in order of work */
enum step reconcile_step(struct delivery *d); /* the doubt that was found at acquire */
enum step contact_step(struct delivery *d);
enum step product_step(struct delivery *d);
enum step order_step(struct delivery *d);
enum step goal_step(struct delivery *d);
enum step contact_forget(struct delivery *d);
enum step product_forget(struct delivery *d);

/**
 * @brief Looks the order up by its external key, compared exactly.
 * @param id  out: the lowest id, "" when there is none @param count  out: how many there are
 */
enum step order_find(struct delivery *d, char id[64], int *count);

/** @brief Does the second look that a doubt ended as "not there" asks for (rule 2): an alarm when
 * there are two. OK also where the account refuses it for good: that look would be refused each
 * time.
 */
enum step order_look_again(struct delivery *d);

/** @brief Keeps a step whose end is to be recorded with the next begin or the finish. */
void delivery_set_pending(struct delivery *d, const char *step, const char *result);

/** @brief Result of a step of the order's entry, or NULL; a borrowed view into the grant. */
const char *delivery_done(const struct delivery *d, const char *step);

/* What the steps read of answers and write into requests; pure. */

/** @brief Whether the account's contact has that address, compared without case; UNCLEAR: it shows
 * no address at all. */
enum match contact_match(yyjson_val *contact, struct text email);

/** @brief Whether the product has that SKU. UNCLEAR: it shows none, and by_sku says that it was
 * asked for by its SKU. */
enum match product_match(yyjson_val *product, struct text sku, int by_sku);

/** @brief Whether the order has the external key in that field. UNCLEAR: it was found by that
 * field, and does not show it. */
enum match order_match(yyjson_val *order, const struct infusionsoft_field *field, struct text key);

/** @brief The total of the order that the account made, in its currency's smallest unit: a number,
 * or the text of one. @returns 0, or -1 when the answer does not tell it */
int order_read_total(yyjson_val *answer, int64_t *total);

/** @brief Whether there is a page after this one; its token is kept then. */
int lookup_take_next(struct lookup_pages *pages, yyjson_val *root, yyjson_val *list);

/** @brief The body of an order's create: the payload's, with the ids that only the account knows.
 * New: free(). */
char *order_body(struct delivery *d, int without_region, size_t *length);

/** @brief The body that achieves a goal. New: free(). */
struct text goal_body(const struct delivery *d, yyjson_val *goal);

/* results (fate.c); texts are borrowed from d and its job */
void fate_delivered(struct delivery *d, struct result *result);

/**
 * @brief Fates that another version may not outrun (rule 7): published, waited for, and the
 * ledger's epoch asked once more.
 * @param reason  REASON_NONE: OLD, no fate at all; REASON_STATUS: withdrawn, skipped; else dead
 * @param detail  dead: a line for people
 * @returns OK: result is to be completed, its outputs are with Kafka; AGAIN: the ledger changed,
 * acquire again; STOPPED
 */
enum step fate_final(struct delivery *d, enum reason reason, const char *detail,
                     struct result *result);
/** @brief Looks at the order once more in an hour (rule 2): only that, no fate. */
void fate_look_later(struct delivery *d, struct result *result);
/** @brief Dead without asking the ledger, whose entry is damaged. */
void fate_parked(struct delivery *d, enum reason reason, const char *detail, struct result *result);
void fate_malformed(struct delivery *d, const char *detail, struct result *result);
void fate_waiting(struct delivery *d, int orders_only, struct result *result);
void fate_retry(struct delivery *d, int topic, int attempt, struct result *result);

#endif
