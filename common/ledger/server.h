/* server.h - what a Redis server says about itself, and what the ledger's marker says. Nothing is
 * changed. */
#ifndef COMMON_LEDGER_SERVER_H
#define COMMON_LEDGER_SERVER_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "ledger/seen.h"
#include "net/redis.h"

/* What a server says about one fact. A hosted server may forbid CONFIG, and some leave out lines of
 * INFO. */
enum ledger_fact { FACT_UNKNOWN = 0, FACT_NO, FACT_YES };

/* What INFO and CONFIG GET say. */
struct ledger_facts {
    char run[LEDGER_RUN_BYTES];
    char version[24];                  /* redis_version; "": not told */
    enum ledger_fact append_only;      /* aof_enabled */
    enum ledger_fact fsync_always;     /* appendfsync always */
    enum ledger_fact fsync_on_rewrite; /* no-appendfsync-on-rewrite no */
    enum ledger_fact never_promoted;   /* master_replid2 all zero */
    enum ledger_fact master;           /* role */
    enum ledger_fact cluster;          /* cluster_enabled */
    enum ledger_fact evicts;           /* maxmemory set and a policy other than noeviction */
};

/** @brief The value of a "name:value" line of INFO, cut to size; "" when absent. @returns target */
char *ledger_info_value(char *target, size_t size, const char *info, const char *name);

/** @brief Whether a restart of such a server loses nothing that it acknowledged (rule 8). */
int ledger_facts_vouch(const struct ledger_facts *facts);

/** @brief Reads the facts that INFO tells; the others stay as they are. */
void ledger_facts_of_info(struct ledger_facts *facts, const char *info);

/** @brief Writes a sentence for each fault among these facts, and for each fact that could not be
 * read. */
void ledger_facts_warn(const struct ledger_facts *facts, struct buffer *warnings);

/** @brief Asks the connected server for these facts. What it does not tell stays unknown. */
int ledger_facts_read(struct redis *redis, struct ledger_facts *facts, struct error *err);

enum ledger_look_state {
    LEDGER_LOOK_NONE = 0, /* there is no marker: nobody ever started it, or Redis was emptied */
    LEDGER_LOOK_LOST,     /* there is a marker, and no epoch: it is to be rebuilt */
    LEDGER_LOOK_READY,
};

struct ledger_look {
    enum ledger_look_state state;
    int is_rebuilt; /* somebody holds the rebuild lock */
};

/** @brief Looks at the marker as it is. Unlike ledger_hello() it does not compare the server with the
 * one that was written to, and moves no epoch. */
int ledger_look(struct redis *redis, const char *prefix, struct ledger_look *look,
                struct error *err);

#endif
