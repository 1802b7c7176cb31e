/* evidence.h - what is known of a delivery besides the results of its steps: when the order was
 * made, how many calls it took, and what the account answered to the steps that it lacks. It is
 * written to `delivered` and to the ledger's entry, there as one more step. So whoever goes on with
 * the order, or publishes its fate again, knows it too. Pure. */
#ifndef PUSHER_EVIDENCE_H
#define PUSHER_EVIDENCE_H

#include <stdint.h>

#include <yyjson.h>

#include "base/digest.h"
#include "ledger/ledger.h"

/* The name under which the entry keeps it among its steps. */
#define EVIDENCE_STEP "evidence"

/* The most steps, and the most members that were left out, that are listed. */
enum { EVIDENCE_INCOMPLETE_MAX = 64, EVIDENCE_LEFT_OUT_MAX = 64 };

/* A step that the order lacks, because it was refused, given up or without effect; and what the
 * account answered to it. */
struct incomplete {
    char *step;
    char *answer;
};

/* Embedded; release with evidence_clear(). */
struct evidence {
    int64_t calls;
    int64_t attempts;
    int64_t polled_at;   /* ms; 0: not known */
    int64_t eligible_at; /* when the store made the first version that a pusher was to deliver; ms;
                            0: not known */
    int64_t created_at;  /* when the order was made; ms; 0: not known */
    char digest[DIGEST_BYTES];
    struct incomplete *incomplete;
    int incomplete_count;
    char **left_out; /* what the order says and the account did not get, with the reason:
                        "billing region_code: not known" */
    int left_out_count;
};

void evidence_clear(struct evidence *evidence);

/** @brief Lists a step that the order lacks; each step once. */
void evidence_add(struct evidence *evidence, const char *step, const char *answer);

/** @brief Lists a member that is not sent, each once. It names the member and never what is in it. */
void evidence_leave_out(struct evidence *evidence, struct text what);

/**
 * @brief Adds what a text of evidence_write(), or the value of a record in `delivered`, says.
 * @param root  the document, with numbers as text or not. A member of another type is passed over
 */
void evidence_read(struct evidence *evidence, yyjson_val *root);

/** @brief Writes it into a document: digest, incomplete, left_out (where there is something), calls and attempts into root, polled and
 * created into times. The document borrows its texts. */
void evidence_put(const struct evidence *evidence, yyjson_mut_doc *doc, yyjson_mut_val *root,
                  yyjson_mut_val *times);

/** @brief Writes the evidence as a JSON text. The caller calls free() for it. */
char *evidence_write(const struct evidence *evidence);

#endif
