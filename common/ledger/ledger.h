/* ledger.h - the delivery ledger. It makes each effect at Infusionsoft happen once, also where
 * programs crash, are paused or lose their data.
 *
 * There is one Redis hash for each thing that must be made once: an order, a contact, a product,
 * a tag.
 * Only the Lua scripts in common/ledger/ change it. docs/ledger.md has the rules, keys, fields and
 * answers. A handle is one connection and belongs to one thread. It reconnects by itself and runs
 * `hello` first on each connection. All times are by the clock of Redis.
 *
 * Each call returns 0 with an answer, or -1 with a temporary error when Redis did not answer. After
 * such an error the caller waits and repeats the same call (begin, end and finish may be repeated
 * with the same fence), or gives the record back uncommitted.
 *
 * There are two permanent errors: `ledger entry is damaged`, and a key that is too long. Both are
 * about this one entry, so the order is parked and others go on. Every fault of the connection or
 * the server is temporary, also one that only a person can repair. */
#ifndef COMMON_LEDGER_H
#define COMMON_LEDGER_H

#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/mem.h"
#include "settings/redis_url.h"

struct ledger; /* opaque: one connection */
struct ledger_seen;

/* server, prefix and seen are not copied: they have to live as long as the ledger. */
struct ledger_settings {
    const struct redis_server *server;
    const char *prefix; /* the setting topic_prefix; every key in Redis begins with <prefix>: */
    int64_t lease_ms;
    int64_t visibility_delay_ms;
    int64_t keep_ms;          /* how long finished entries are kept */
    int64_t timeout_ms;       /* for connecting and for each answer */
    struct ledger_seen *seen; /* shared by all handles of a process (seen.h); NULL: the
                                 handle uses one of its own */
};

/** @brief The settings from the configuration. Its strings are borrowed. */
struct config;
struct ledger_settings ledger_settings_of(const struct config *config);

/* LEDGER_ORDER is also the kind of the records of contacts and products. Their key says which they
 * are. An order is made once; of a contact or product that a store sends each version is delivered
 * (rule 16). LEDGER_CONTACT, LEDGER_PRODUCT and LEDGER_TAG are those of the account: orders and records share
 * them. LEDGER_AFTER is what the later states of an order leave on its contact: its versions are those of the
 * order, and each is delivered as those of a record are. */
enum ledger_kind { LEDGER_ORDER = 0, LEDGER_CONTACT, LEDGER_PRODUCT, LEDGER_TAG, LEDGER_AFTER };

enum ledger_answer {
    LEDGER_OK = 0,
    LEDGER_GRANT,     /* the caller may work; steps has what is done already */
    LEDGER_RECONCILE, /* look up the step in doubt first, then end it; steps as above */
    LEDGER_BUSY,      /* another owner has the lease; try again after wait_ms */
    LEDGER_DONE,      /* delivered; steps has the ids. Publish the fate again, or treat a newer
                         version by D2 */
    LEDGER_DEAD,      /* dead; reason says why */
    LEDGER_OLD,       /* a newer version is known: only commit */
    LEDGER_OK_STALE,  /* finished; the lease had run out before, but nobody else had taken it */
    LEDGER_FENCED,    /* the entry belongs to another one now, or something must be looked up first.
                         Do not commit; acquire again; raise an alarm if a call was sent. An owner's
                         `end` is recorded all the same */
    LEDGER_LOST,      /* there is no marker, or the server may have lost what it acknowledged.
                         Nobody is granted anything until one pusher has rebuilt the ledger */
};

/** @brief "GRANT", "RECONCILE", ... as the scripts answer. Static. */
const char *ledger_answer_name(enum ledger_answer answer);

/* What is to be made. */
struct ledger_request {
    enum ledger_kind kind;
    struct text account;
    struct text id;        /* order, after: the record key; contact: digest of the e-mail address;
                              product: digest of the SKU; tag: of its name
                              (digest_hex()) */
    int64_t modified_at;   /* ms; version of the record; 0 where it is no order */
    int64_t first_seen_ms; /* order: the earlier of placed and polled; else 0 */
    const char *digest;    /* hex digest of the body as digest_hex() makes it */
    int withdrawn;         /* the record withdraws the order (header kind = withdrawn) */
    int replay;            /* header source = replay */
    const char *owner;     /* name of the owner of the lease, at most 64 characters; NULL: the
                              handle. Two workers with the same name must not work on the entry
                              at the same time */
};

struct ledger_step {
    char *name;   /* contact, product:<digest>, order, payment, tag:<name>, goal:<integration>/<call
                     name>, ...; the entry of a contact, product or tag has its id at the step
                     that is named like its kind */
    char *result; /* an id; "none": it certainly had no effect; "in_doubt": it must never be sent
                     again; "refused"; order: "off": the account has orders = off */
};

enum { LEDGER_FENCE_BYTES = 48, LEDGER_KEY_BYTES = 256 };

/* What acquire granted; it is passed to begin, end and finish. Embedded: zero-initialise it,
 * release it with ledger_grant_clear(). */
struct ledger_grant {
    enum ledger_answer answer;
    char key[LEDGER_KEY_BYTES];     /* the Redis key of the entry */
    char fence[LEDGER_FENCE_BYTES]; /* fencing token: <epoch>-<counter> */
    char *doubt;                    /* RECONCILE: the step in doubt; else NULL */
    int64_t doubt_age_ms; /* how long ago that step was begun, by the clock of Redis; without a
                             doubt: how long ago the epoch began */
    int64_t doubt_visible_in_ms; /* how long until its effect, or what was done before the epoch,
                                    would be visible if there was one; 0: now */
    int64_t wait_ms;             /* BUSY */
    int64_t modified_at; /* DONE, OLD, GRANT, RECONCILE: the version that the entry stands for */
    int newer; /* DONE: the request's version is newer than the one that was delivered (D2) */
    int goals_in_doubt; /* steps without a result may have been done all the same (rules 12 to
                           15: a rebuilt or lost entry). So such goals must not be sent, and such
                           a payment is looked up first */
    int look_again;  /* a look-up ended a doubt as "not there"; look that order up once more later
                        (rule 3) */
    char reason[32]; /* DEAD, and OLD where a person withdrew the version: reason_name() */
    struct ledger_step *steps;
    int step_count;
};

void ledger_grant_clear(struct ledger_grant *grant);

/** @brief The epoch in which the ledger gave out a fence, with which the fence begins; or 0. Pure. */
int64_t ledger_fence_epoch(const char *fence);

/** @brief The result of a step, or NULL when it is not done. Borrowed from the grant. */
const char *ledger_grant_step(const struct ledger_grant *grant, const char *name);

/** @brief New handle. It does not connect yet. Keeps the strings of settings. Free with
 * ledger_free(). */
struct ledger *ledger_new(const struct ledger_settings *settings);
void ledger_free(struct ledger *ledger);

/** @brief Connects where needed and asks whether the ledger can be used. answer: OK or LOST. */
int ledger_hello(struct ledger *ledger, enum ledger_answer *answer, struct error *err);

/** @brief Asks for the right to work on an entry. The answer is in grant->answer; what the grant
 * held before is released. An owner that has the lease itself is not told BUSY: it gets a new
 * fence, and a step that it had begun is then in doubt. */
int ledger_acquire(struct ledger *ledger, const struct ledger_request *request,
                   struct ledger_grant *grant, struct error *err);

/* The id cache: the contacts, products and tags that are made already. Many are asked for in one round
 * trip. */
struct ledger_peek {
    enum ledger_kind kind;
    struct text id;     /* digest */
    const char *digest; /* digest of the wanted body, or NULL: any */
    char result[64];    /* out: the id; "" when it is not known, or known with another digest */
    char known_id[64];  /* out: the id with any digest; "" when it is not known */
};
int ledger_peek_many(struct ledger *ledger, struct text account, struct ledger_peek *peeks,
                     int count, struct error *err);

/** @brief ledger_acquire(), then ledger_peek_many() in the account of the request, in one round
 * trip. */
int ledger_acquire_and_peek(struct ledger *ledger, const struct ledger_request *request,
                            struct ledger_grant *grant, struct ledger_peek *peeks, int count,
                            struct error *err);

/** @brief Call this right before a call to Infusionsoft that must not happen twice. It renews the
 * lease and writes that the step is in doubt. OK, FENCED or LOST. It is FENCED also where another
 * step is in doubt, or this step has its result already. */
int ledger_begin(struct ledger *ledger, const struct ledger_grant *grant, const char *step,
                 enum ledger_answer *answer, struct error *err);

/**
 * @brief Records the outcome of a step and ends its doubt.
 * @param result  an id, "in_doubt" or "refused"; NULL: it certainly had no effect, and may be done
 * again
 * @param next    NULL, or the step to begin in the same call (as ledger_begin())
 * The step need not have been begun: the id of a contact is recorded in the order's entry that way.
 * A result is never removed.
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
 * @brief Gives the entry back in its final state. With RETRY it is free for the next attempt, and a
 * doubt stays; the age of one that this grant began counts from now.
 * FENCED where a step is still in doubt and how is not RETRY, because nothing is final before the
 * step was looked up.
 * @param step,result  NULL, or a step to end in the same call as ledger_end() does (saves a round
 * trip)
 * @param remark       DEAD, and WITHDRAWN where a person did it: reason_name(); DONE and RETRY: a text
 * that the entry keeps as step "evidence"; or NULL
 * @param entry        NULL, or receives the value of the header `ledger` (note.h) for the record
 * that goes to a retry or waiting topic, `dead` or `skipped`. Empty: without that header (DONE, any
 * answer but OK and OK_STALE, or it would be too long)
 */
int ledger_finish(struct ledger *ledger, const struct ledger_grant *grant, enum ledger_finish how,
                  const char *step, const char *result, const char *remark, struct buffer *entry,
                  enum ledger_answer *answer, struct error *err);

/** @brief Asks for the present epoch of the ledger (rule 6), in the form that it has in fences.
 * LOST: the epoch is 0. */
int ledger_epoch(struct ledger *ledger, int64_t *epoch, struct error *err);

/** @brief Forgets a cached contact, product or tag whose id the account refused. The entry is open
 * again. */
int ledger_forget(struct ledger *ledger, struct text account, enum ledger_kind kind, struct text id,
                  const char *stale_id, struct error *err);

/** @brief Removes the entry of a contact, because a person asked for it. BUSY: somebody works on it,
 * or its create is in doubt; it stays, ask again later. OK also where there is none; LOST. */
int ledger_erase_contact(struct ledger *ledger, struct text account, struct text digest,
                         enum ledger_answer *answer, struct error *err);

/* Rebuild (rules 11 to 13). The caller reads the topics; the ledger keeps the lock and the
 * entries. */

/**
 * @brief Takes or renews the rebuild lock. It lasts 60 s, so renew it while filling in.
 * @param taken  out: 1: it is ours. 0: somebody else has it; or ours was lost (then start again
 * from the first record); or there is nothing to rebuild. Ask ledger_hello() again after a while
 */
int ledger_rebuild_lock(struct ledger *ledger, int *taken, struct error *err);

/** @brief Gives the lock back after a rebuild that failed: another pusher may be able to do it. Where
 * Redis does not answer, the lock stays ours. What was filled in counts for nothing (rule 14). */
void ledger_rebuild_leave(struct ledger *ledger);

enum ledger_state {
    LEDGER_STATE_OPEN = 0, /* from a record of an input topic: payloads, retry, waiting */
    LEDGER_STATE_DONE,     /* from a record of `delivered` */
    LEDGER_STATE_DEAD,     /* from a record of `dead` that the pusher wrote */
    LEDGER_STATE_WITHDRAWN /* from a record of `skipped` with reason status that the pusher wrote */
};

struct ledger_note;

/* What a record says about an order. */
struct ledger_fill {
    struct text account;
    struct text key; /* record key */
    enum ledger_state state;
    int64_t modified_at;             /* of the record */
    const char *digest;              /* digest of the record's body, or "" */
    const char *reason;              /* DEAD: the reason; else NULL */
    const struct ledger_step *steps; /* DONE: contact, order, goals ... */
    int step_count;
    int is_careful; /* OPEN: 1: it may have been handed to a worker since it was written, and
                       nobody knows how far that worker came */
    const struct ledger_note *note; /* the value of its header `ledger` (note.h). NULL: it has
                                       none, so the entry is looked up before anything is made */
};
/** @brief Fills in entries; an entry that is done is never changed. The records may come in any
 * order, and several may be about one order: `delivered` wins over the others, results of steps
 * are united, and records that may have been begun win over those that were not. Pipelined. After
 * the temporary error `the rebuild lock was lost` the rebuild starts again. */
int ledger_rebuild_fill(struct ledger *ledger, const struct ledger_fill *fills, int count,
                        struct error *err);

/** @brief Ends the rebuild: writes the marker and born_at while the lock is held, and releases it.
 * OK, or FENCED when the lock was lost. */
int ledger_rebuild_finish(struct ledger *ledger, enum ledger_answer *answer, struct error *err);

/**
 * @brief Starts a first ledger, for a caller who has just created the topics and so knows that
 * nothing was ever delivered under this prefix. Its epoch is older than every record, so the first
 * orders need no look-up and their goals are not in doubt.
 * @param started  out: 0 where there is, or was, a marker; nothing is changed then
 */
int ledger_start(struct ledger *ledger, int *started, struct error *err);

/** @brief To be called after a backup was restored: the ledger is LOST and gets a new epoch
 * (`bigfusion ledger distrust`). */
int ledger_distrust(struct ledger *ledger, struct error *err);

/** @brief Whether Redis is configured to keep what it acknowledged. A sentence for each fault is
 * appended to warnings, and one that names what could not be read. */
int ledger_check_server(struct ledger *ledger, struct buffer *warnings, struct error *err);

#endif
