/* evidence.h - what is known of a delivery besides the results of its steps: when the order was
 * made, with how many calls, what the account said to what is missing. It stands in `delivered`
 * and, as one text among the steps, in the ledger's entry, so that whoever goes on with the order,
 * or publishes its fate once more, has it. Pure. */
#ifndef PUSHER_EVIDENCE_H
#define PUSHER_EVIDENCE_H

#include <stdint.h>

#include <yyjson.h>

#include "base/digest.h"
#include "ledger/ledger.h"

/* The step of the entry that has it; no step of the order. */
#define EVIDENCE_STEP "evidence"

enum { EVIDENCE_INCOMPLETE_MAX = 64 };

/* A step that was refused for good, given up or without effect, and what the account said to it. */
struct incomplete {
    char *step;
    char *answer;
};

/* Embedded; release with evidence_clear(). */
struct evidence {
    int64_t calls;
    int64_t attempts;
    int64_t polled_at;  /* ms; 0: not known */
    int64_t created_at; /* when the order was made; ms; 0: not known */
    char digest[DIGEST_BYTES];
    struct incomplete *incomplete;
    int incomplete_count;
};

void evidence_clear(struct evidence *evidence);

/** @brief Lists a step that is missing of the order; once each. */
void evidence_add(struct evidence *evidence, const char *step, const char *answer);

/**
 * @brief Adds what a text of evidence_write(), or the value of a record in `delivered`, says.
 * @param root  the document, numbers as texts or not. What has another type says nothing
 */
void evidence_read(struct evidence *evidence, yyjson_val *root);

/** @brief Its members into a document's root: digest, incomplete, calls, attempts; `times` gets
 * polled and created. Texts are borrowed. */
void evidence_put(const struct evidence *evidence, yyjson_mut_doc *doc, yyjson_mut_val *root,
                  yyjson_mut_val *times);

/** @brief As a JSON text. New: free(). */
char *evidence_write(const struct evidence *evidence);

#endif
