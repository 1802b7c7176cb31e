/* ledger.h - the delivery ledger: each effect at Infusionsoft once, whatever crashes, is paused or
 * is lost. One Redis hash for each thing that must be made once (an order, a contact, a product),
 * changed only by the Lua scripts in common/ledger/. Rules, keys, fields and answers:
 * docs/ledger.md. A handle is one connection and belongs to one thread; it reconnects by itself and
 * says `hello` first on each connection. Time is Redis' time.
 *
 * Every call returns 0 with an answer, or -1 with a temporary error when Redis did not answer: the
 * caller then waits and repeats the same call (begin, end and finish are idempotent for one fence)
 * or hands the record back uncommitted.
 * The only permanent errors are `ledger entry is damaged` and a key that is too long: both are
 * about this one entry, so park the order and go on with others. Whatever is wrong with the
 * connection or the server is temporary, also what only a person can mend. */
#ifndef COMMON_LEDGER_H
#define COMMON_LEDGER_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/mem.h"
#include "settings/redis_url.h"

struct ledger; /* opaque: one connection */
struct ledger_seen;

struct ledger_settings {
    const struct redis_server *server; /* keeps */
    const char *prefix;                /* topic_prefix: keys are <prefix>:...; keeps */
    int64_t lease_ms;
    int64_t visibility_delay_ms;
    int64_t keep_ms;          /* how long done entries live */
    int64_t timeout_ms;       /* for connecting and for each answer */
    struct ledger_seen *seen; /* what all handles of a process share (seen.h); keeps. NULL:
                                 the handle remembers for itself alone */
};

/** @brief What the configuration says; its strings are borrowed from there. */
struct config;
struct ledger_settings ledger_settings_of(const struct config *config);

enum ledger_kind { LEDGER_ORDER = 0, LEDGER_CONTACT, LEDGER_PRODUCT };

enum ledger_answer {
    LEDGER_OK = 0,
    LEDGER_GRANT,     /* go on; steps tells what is done already */
    LEDGER_RECONCILE, /* look up the step in doubt first, then end it; steps as above */
    LEDGER_BUSY,      /* somebody else has the lease; come again in wait_ms */
    LEDGER_DONE, /* finished; steps has the ids: publish the fate again, or D2 for a newer version
                  */
    LEDGER_DEAD, /* finished as dead, reason in reason */
    LEDGER_OLD,  /* a newer version is known: nothing but the commit */
    LEDGER_OK_STALE, /* finished, though the lease had run out in between */
    LEDGER_FENCED, /* not yours any more, or first something has to be looked up: no commit, acquire
                      again; alarm if a call went out. The `end` of an owner is recorded all the
                      same */
    LEDGER_LOST,   /* no marker, or the server may have lost what it acknowledged: nobody is granted
                      anything until one pusher has rebuilt the ledger */
};

/** @brief "GRANT", "RECONCILE", ... as the scripts answer. Static. */
const char *ledger_answer_name(enum ledger_answer answer);

/* What is to be made. */
struct ledger_request {
    enum ledger_kind kind;
    struct text account;
    struct text id;        /* order: the record key; contact: e-mail digest; product: SKU digest
                              (digest_hex()) */
    int64_t modified_at;   /* ms; version of the record; 0 for contacts and products */
    int64_t first_seen_ms; /* order: the earlier of placed and polled; contact, product: 0 */
    const char *digest;    /* hex digest of the body as digest_hex() makes it */
    int withdrawn;         /* the record withdraws the order (header kind=withdrawn) */
    int replay;            /* header source=replay */
    const char *owner;     /* whose lease it becomes, at most 64 characters; NULL: the handle's.
                              Whoever names the same one must not work on the entry beside it */
};

struct ledger_step {
    char *name;   /* contact, product:<digest>, order, payment, tag:<id>, goal:<integration>/<call
                     name>, ...; the entry of a contact or product has its id at step "contact" or
                     "product" */
    char *result; /* an id; "none": certainly no effect; "in_doubt": never to be sent again;
                     "refused" */
};

enum { LEDGER_FENCE_BYTES = 48, LEDGER_KEY_BYTES = 256 };

/* What acquire granted; passed to begin, end and finish. Embedded: zero-initialise, release with
 * ledger_grant_clear(). */
struct ledger_grant {
    enum ledger_answer answer;
    char key[LEDGER_KEY_BYTES];     /* the Redis key of the entry */
    char fence[LEDGER_FENCE_BYTES]; /* fencing token: <epoch>-<counter> */
    char *doubt;                    /* RECONCILE: the step in doubt; else NULL */
    int64_t doubt_age_ms;           /* RECONCILE: since its begin, in Redis' time */
    int64_t
        doubt_visible_in_ms; /* RECONCILE: 0, or how long until an unseen effect would be visible */
    int64_t wait_ms;         /* BUSY */
    int64_t modified_at;     /* DONE, GRANT, RECONCILE: the version that the entry stands for */
    int newer; /* DONE: the request's version is newer than the one that was delivered (D2) */
    int goals_in_doubt; /* what is not recorded may have been done all the same (rules 12 to 15: rebuilt or
                           lost entry): such goals must not be sent, such a payment is looked up
                           first */
    int look_again; /* a doubt was ended as "not there": look that order up once more later (rule 3)
                     */
    char reason[32]; /* DEAD: reason_name() */
    struct ledger_step *steps;
    int step_count;
};

void ledger_grant_clear(struct ledger_grant *grant);

/** @brief Result of a step, or NULL when it is not done. Borrowed from the grant. */
const char *ledger_grant_step(const struct ledger_grant *grant, const char *name);

/** @brief New handle; does not connect yet. settings' strings are kept. Free with ledger_free(). */
struct ledger *ledger_new(const struct ledger_settings *settings);
void ledger_free(struct ledger *ledger);

/** @brief Connects if needed and asks for the marker. answer: OK or LOST. */
int ledger_hello(struct ledger *ledger, enum ledger_answer *answer, struct error *err);

/**
 * @brief Asks for the right to work on an entry. The answer is in grant->answer; what the grant
 * held before is released. The owner's own lease does not make it BUSY: asking again gives a new
 * fence, a step that was begun is then in doubt.
 */
int ledger_acquire(struct ledger *ledger, const struct ledger_request *request,
                   struct ledger_grant *grant, struct error *err);

/* The id cache: contacts and products that are done. One round trip for many. */
struct ledger_peek {
    enum ledger_kind kind;
    struct text id;     /* digest */
    const char *digest; /* wanted body digest, or NULL: any */
    char result[64];    /* out: the id; "" when not known (or known with another digest) */
    char known_id[64];  /* out: the id whatever its digest, "" when not known */
};
int ledger_peek_many(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err);

/** @brief ledger_acquire() and then ledger_peek_many() in the request's account, in one round trip.
 */
int ledger_acquire_and_peek(struct ledger *ledger, const struct ledger_request *request,
                            struct ledger_grant *grant, struct ledger_peek *peeks, int count,
                            struct error *err);

/** @brief Right before a call that must not happen twice: renews the lease, writes doubt = step.
 * OK, FENCED or LOST. FENCED also where another step is in doubt, or this one has its result
 * already. */
int ledger_begin(struct ledger *ledger, const struct ledger_grant *grant, const char *step,
                 enum ledger_answer *answer, struct error *err);

/**
 * @brief The outcome of a step is known; clears its doubt and records the result.
 * @param result  an id, "in_doubt" or "refused"; NULL: it certainly had no effect, the step is free
 * again
 * @param next    NULL, or the step to begin in the same call (as ledger_begin())
 * A step need not have been begun: contact's id is recorded in the order's entry that way. A result
 * is never removed.
 */
int ledger_end(struct ledger *ledger, const struct ledger_grant *grant, const char *step,
               const char *result, const char *next, enum ledger_answer *answer, struct error *err);

enum ledger_finish {
    LEDGER_FINISH_DONE = 0,
    LEDGER_FINISH_DEAD,
    LEDGER_FINISH_RETRY,
    LEDGER_FINISH_WITHDRAWN
};

/**
 * @brief Gives the entry back in its final state (or, RETRY, free for the next attempt, doubt
 * kept).
 * FENCED where a step is still in doubt and how is not RETRY: nothing is final before it was looked
 * up.
 * @param step,result  NULL, or a step to end in the same call as ledger_end() does (saves a round
 * trip)
 * @param remark       DEAD: reason_name(); DONE and RETRY: a text that the entry keeps as step
 * "evidence", or NULL
 * @param entry        NULL, or replaced by the value of the header `ledger` (note.h) that the
 * record in its retry or waiting topic, `dead` or `skipped` is to carry. Empty: without that header
 * (DONE, any answer but OK and OK_STALE, or it would be too long)
 */
int ledger_finish(struct ledger *ledger, const struct ledger_grant *grant, enum ledger_finish how,
                  const char *step, const char *result, const char *remark, struct buffer *entry,
                  enum ledger_answer *answer, struct error *err);

/** @brief The ledger's epoch now (rule 6), as it stands in fences. LOST leaves epoch 0. */
int ledger_epoch(struct ledger *ledger, int64_t *epoch, struct error *err);

/** @brief Forgets a cached contact or product whose id the account refused: the entry becomes open
 * again. */
int ledger_forget(struct ledger *ledger, struct text account, enum ledger_kind kind, struct text id,
                  const char *stale_id, struct error *err);

/* Rebuild (rules 11 to 13). The caller reads the topics; the ledger keeps the lock and the entries. */

/**
 * @brief Takes or renews the rebuild lock (60 s: renew while filling in).
 * @param taken  out: 1 it is ours; 0 somebody else has it, ours was lost (then start again from the
 * first record), or there is nothing to rebuild: ask ledger_hello() again after a while
 */
int ledger_rebuild_lock(struct ledger *ledger, int *taken, struct error *err);

enum ledger_state {
    LEDGER_STATE_OPEN = 0, /* a record of an input topic: payloads, retry, waiting */
    LEDGER_STATE_DONE,     /* of `delivered` */
    LEDGER_STATE_DEAD,     /* of `dead`, by the pusher */
    LEDGER_STATE_WITHDRAWN /* of `skipped`, reason status, by the pusher */
};

struct ledger_note;

/* What a record says about an order. */
struct ledger_fill {
    struct text account;
    struct text key; /* record key */
    enum ledger_state state;
    int64_t modified_at;             /* of the record */
    const char *digest;              /* of the record's body, or "" */
    const char *reason;              /* DEAD; else NULL */
    const struct ledger_step *steps; /* DONE: contact, order, goals ... */
    int step_count;
    int is_careful; /* OPEN: it may have been handed to a worker since it was written, and nobody
                       knows how far that one came */
    const struct ledger_note *note; /* what its header `ledger` says (note.h), or NULL: nothing; the
                                       entry is then looked up before anything is made */
};
/**
 * @brief Fills entries in, never over one that is done. The records may come in any order, and any
 * number of them may be about one order: `delivered` wins, what was done is united, the careful
 * ones win over the others. Pipelined. The temporary error `the rebuild lock was lost` means: start
 * again.
 */
int ledger_rebuild_fill(struct ledger *ledger, const struct ledger_fill *fills, int count,
                        struct error *err);

/** @brief Writes the marker and born_at under the lock and releases it. OK, or FENCED when the lock
 * was lost. */
int ledger_rebuild_finish(struct ledger *ledger, enum ledger_answer *answer, struct error *err);

/**
 * @brief Nothing was ever delivered under this prefix (the caller has just created its topics):
 * starts the ledger with an epoch older than every record, so that the first orders need no look-up
 * and their goals are not in doubt.
 * @param started  out: 0 where there is, or was, a marker: then nothing is changed
 */
int ledger_start(struct ledger *ledger, int *started, struct error *err);

/** @brief A backup was restored: the ledger is LOST and gets a new epoch (`bigfusion ledger
 * distrust`). */
int ledger_distrust(struct ledger *ledger, struct error *err);

/** @brief Whether Redis is set up to keep what it acknowledged; a sentence per fault is appended to
 * warnings, and one that names what could not be read. */
int ledger_check_server(struct ledger *ledger, struct buffer *warnings, struct error *err);

#endif
