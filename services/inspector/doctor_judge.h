/* doctor_judge.h - what the facts mean that `bigfusion doctor` has learnt: facts in, findings out.
 * Pure. */
#ifndef INSPECTOR_DOCTOR_JUDGE_H
#define INSPECTOR_DOCTOR_JUDGE_H

#include <stdint.h>

#include "ledger/server.h"

#include "doctor.h"
#include "topics.h"

/* How far another clock is ahead of ours: between low_ms and high_ms. Dates in headers have whole
 * seconds, and an answer takes its time, so it is never known exactly. */
struct clock_lead {
    int64_t low_ms;
    int64_t high_ms;
};

/**
 * @brief What one reading of another clock tells.
 * @param theirs_ms     the time that was read
 * @param precision_ms  1000 where it has whole seconds
 * @param asked_ms, answered_ms  our clock before the question and after the answer
 */
struct clock_lead clock_lead_of(int64_t theirs_ms, int64_t precision_ms, int64_t asked_ms,
                                int64_t answered_ms);

/** @brief The clock of another machine, whose lead is known. */
void judge_clock(struct findings *findings, enum doctor_check check, const char *subject,
                 const struct clock_lead *lead);

/** @brief The clock of the brokers. Only one thing is known of it: the newest record that a broker
 * stamped. newest_ms: its time; -1: there is no such record. */
void judge_kafka_clock(struct findings *findings, int64_t newest_ms, int64_t now_ms);

/** @brief Whether the limit of open files is enough for a poller of these stores and a pusher of
 * these workers and accounts. limit: the hard one; -1: none */
void judge_descriptors(struct findings *findings, int64_t limit, int64_t stores, int64_t workers,
                       int64_t accounts);

/** @brief number: as rd_kafka_version() has it; text: as people write it. */
void judge_librdkafka(struct findings *findings, int number, const char *text);

/** @brief Whether the brokers create topics by themselves: 1, 0; -1: they do not tell. */
void judge_kafka_creates(struct findings *findings, int creates);

/* What the topics lack. */
struct topic_facts {
    int planned;                 /* how many topics there must be */
    int missing;                 /* how many of them are not there */
    struct buffer missing_names; /* the first ones, with commas */
    int leaderless;              /* partitions that nobody leads at present */
    int out_of_sync;             /* partitions that have fewer copies in sync than copies */
    /* Differences that break what is promised, by the check that they belong to. */
    int differences[CHECK_COUNT];
    struct buffer texts[CHECK_COUNT]; /* the first ones, with commas */
};

/** @brief Notes a topic that is not there. */
void topic_facts_missing(struct topic_facts *facts, const char *name);

/** @brief Notes a difference. One that keeps what is promised counts for nothing. */
void topic_facts_differ(struct topic_facts *facts, const struct topic_difference *difference);
void topic_facts_clear(struct topic_facts *facts);

/** @brief Findings for CHECK_TOPICS, CHECK_PARTITIONS and CHECK_COPIES. */
void judge_topics(struct findings *findings, const struct topic_facts *facts);

/** @brief The finding for CHECK_TOPIC_SETTINGS. unknown: why they could not be read, or NULL. */
void judge_topic_settings(struct findings *findings, const struct topic_facts *facts,
                          const char *unknown);

/** @brief Findings for version, role, persistence and eviction. */
void judge_redis(struct findings *findings, const struct ledger_facts *facts);

void judge_ledger(struct findings *findings, const struct ledger_look *look);

/* The answer to one question. */
struct answer {
    int status;        /* HTTP status; 0: no answer came */
    const char *why;   /* status 0: why */
    int is_unreadable; /* only looked for in the first one: what came is not the store's time */
};

enum { STORE_PROBE_COUNT = 4 };

/* What a token of a store must allow. */
struct store_probe {
    const char *path;    /* below /stores/HASH */
    const char *scope;   /* as BigCommerce's API calls it */
    const char *setting; /* as its control panel calls it */
    const char *only;    /* who needs it, if orders do not: " (only ...)"; NULL: orders need it */
};
extern const struct store_probe store_probes[STORE_PROBE_COUNT];

/**
 * @brief Findings for CHECK_STORE_TOKEN and CHECK_STORE_SCOPES.
 * @param answers  to store_probes, in their order. Where the first one had no answer, the others
 * were not asked for
 * @returns 0 when the store answered and takes the token, else -1
 */
int judge_store(struct findings *findings, const char *store,
                const struct answer answers[STORE_PROBE_COUNT]);

#endif
