/* why.h - the one answer to "where is my order": from what is known of an order to its verdict, a
 * sentence for the merchant, and what happens next. Pure.
 *
 * Every order has exactly one verdict. These are asked one after the other; the first that can
 * answer, answers:
 *
 *   1. It was delivered, as the topics or the ledger say: synced. It stays so whatever comes later.
 *   2. Its newest version has a fate: skipped or dead.
 *   3. It is under way: retrying or waiting, with the reason.
 *   4. The pipeline never saw it: the store is asked. It has the order: waiting for the next poll, or
 *      skipped where no poll will take it. It does not: unknown. It did not answer: unknown, and the
 *      sentence says that nothing was found out.
 *
 * docs/why.md says the same for people. */
#ifndef COMMON_WHY_H
#define COMMON_WHY_H

#include <stdint.h>

#include "base/date.h"
#include "history/order_state.h"
#include "record/reason.h"

enum why_verdict {
    WHY_VERDICT_UNKNOWN = 0, /* no store has it, or none could be asked */
    WHY_VERDICT_SYNCED,
    WHY_VERDICT_WAITING,
    WHY_VERDICT_SKIPPED,
    WHY_VERDICT_RETRYING,
    WHY_VERDICT_DEAD,
    WHY_VERDICT_COUNT
};

/* What asking the store gave. */
enum why_store {
    WHY_STORE_NOT_ASKED = 0, /* it was not needed */
    WHY_STORE_HAS,           /* it has the order, and a poll will see it */
    WHY_STORE_BEFORE_START,  /* it has the order, which last changed before start_from */
    WHY_STORE_ARCHIVED,      /* it has the order, which is archived */
    WHY_STORE_HISTORY, /* it has the order, which is older than the first poll; such orders are
                                read piece by piece */
    WHY_STORE_HAS_NOT, /* it does not know the order */
    WHY_STORE_SILENT,  /* it could not be asked */
    WHY_STORE_NONE,    /* no store with that hash is configured */
    WHY_STORE_COUNT
};

/* What is known. Texts are borrowed. */
struct why_facts {
    const char *name;                /* "BC #1042" */
    const struct order_state *state; /* NULL: the index does not know the order */
    int is_done;                     /* the ledger says: delivered */
    const char *doubt; /* the step whose outcome the ledger does not know; NULL or "": none */
    enum why_store store;
    const char *store_error;  /* SILENT: why */
    int64_t next_poll_ms;     /* -1: not known */
    const char *poll_trouble; /* why the last poll of its store failed; NULL or "": it did not */
    int is_store_paused;      /* an operator paused its store: it is not polled */
    int is_account_paused;    /* an operator paused its account: nothing is sent */
    const char *account;      /* name of its account; NULL or "": not known */
    int is_behind;            /* the index has not read everything yet */
    int64_t now_ms;
};

enum { WHY_SENTENCE_BYTES = 640, WHY_NEXT_BYTES = 256 };

struct why_answer {
    enum why_verdict verdict;
    enum reason reason;                /* REASON_NONE where the verdict is synced or unknown */
    char sentence[WHY_SENTENCE_BYTES]; /* for a merchant */
    char next[WHY_NEXT_BYTES];         /* what happens next; "": nothing */
    int64_t next_at_ms;                /* when; -1: no time is known */
};

/** @brief Decides. Reads nothing but facts. */
void why_decide(const struct why_facts *facts, struct why_answer *answer);

/** @brief "synced", "waiting", "skipped", "retrying", "dead", "unknown". Static. */
const char *why_verdict_name(enum why_verdict verdict);

#endif
