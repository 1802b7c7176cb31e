/* audit_chain.h - whether the entries of the topic `audit` are whole. Pure.
 *
 * Each entry is a JSON object. `n` counts the entries from 1 on, and `before` is the SHA-256 of the
 * bytes of the entry before (of the first: 64 zeros). So an entry that was changed, removed or put
 * in breaks the chain there.
 *
 * Two operators who append at the same time both read the same last entry, so both entries follow
 * it. The one with the lower offset is part of the chain, the other one is void: it says nothing,
 * and its writer appends it again at the end (audit.h). An entry is void only where another one has
 * taken the place for which it was made. */
#ifndef COMMON_AUDIT_CHAIN_H
#define COMMON_AUDIT_CHAIN_H

#include <stdint.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/mem.h"
#include "record/event.h"

enum audit_link {
    AUDIT_LINK_PART = 0, /* the entry is part of the chain */
    AUDIT_LINK_VOID,     /* it lost against another one that was appended at the same time */
    AUDIT_LINK_BROKEN,   /* it does not fit; the chain is broken here and goes on behind it */
};

/* The chain as far as it was read. Embedded: audit_chain_init(), audit_chain_clear(). */
struct audit_chain {
    int64_t n;                          /* number of the last entry; 0: there is none */
    char head[DIGEST_WHOLE_BYTES];      /* digest of its bytes */
    int64_t parts, voids;               /* how many entries are part of the chain, and void */
    int64_t broken_offset;              /* of the first broken entry; -1: none */
    int64_t broken_n;                   /* the number that it should have had */
    const char *broken_why;             /* a sentence; NULL: none. Static */
    char (*places)[DIGEST_WHOLE_BYTES]; /* places[n]: what the entry n + 1 has as `before` */
    int64_t first, capacity;            /* the chain was begun behind this number */
};

void audit_chain_init(struct audit_chain *chain);
void audit_chain_clear(struct audit_chain *chain);

/**
 * @brief Adds the next record of the topic.
 * @param entry  out, or NULL: the entry's JSON, new; NULL where it is none
 */
enum audit_link audit_chain_add(struct audit_chain *chain, const struct event *event,
                                json_t **entry);

/** @brief The bytes of an entry that follows the chain: sets `n` and `before` in entry. New. */
char *audit_chain_write(const struct audit_chain *chain, json_t *entry);

#endif
