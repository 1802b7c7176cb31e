/* doctor.h - `bigfusion doctor`: what its checks are called, and what they found. */
#ifndef INSPECTOR_DOCTOR_H
#define INSPECTOR_DOCTOR_H

#include "settings/config.h"

/* Every check. Their names and what they are about stand in docs/doctor.md. */
enum doctor_check {
    CHECK_CONFIGURATION = 0,
    CHECK_SECRETS,
    CHECK_PROTECTION,
    CHECK_DESCRIPTORS,
    CHECK_LIBRDKAFKA,
    CHECK_KAFKA,
    CHECK_KAFKA_CREATES,
    CHECK_KAFKA_CLOCK,
    CHECK_TOPICS,
    CHECK_PARTITIONS,
    CHECK_COPIES,
    CHECK_TOPIC_SETTINGS,
    CHECK_REDIS,
    CHECK_REDIS_VERSION,
    CHECK_REDIS_ROLE,
    CHECK_REDIS_PERSISTENCE,
    CHECK_REDIS_EVICTION,
    CHECK_REDIS_CLOCK,
    CHECK_LEDGER,
    CHECK_STORE_TOKEN,
    CHECK_STORE_SCOPES,
    CHECK_STORE_CLOCK,
    CHECK_ACCOUNT_CREDENTIAL,
    CHECK_ACCOUNT_TENANT,
    CHECK_ACCOUNT_ECOMMERCE,
    CHECK_ACCOUNT_FIELD,
    CHECK_ACCOUNT_CLOCK,
    CHECK_ACCOUNT_PAYMENT, /* only where a store has payments */
    CHECK_ACCOUNT_MAPPED,  /* only where a store has settings field.LABEL */
    CHECK_COUNT
};

enum doctor_level {
    DOCTOR_OK = 0,
    DOCTOR_WARN,
    DOCTOR_FAIL, /* a person must fix something */
    DOCTOR_AWAY, /* printed as fail: something could not be reached, perhaps only for now */
    DOCTOR_SKIPPED,
    DOCTOR_LEVEL_COUNT
};

struct finding {
    enum doctor_check check;
    enum doctor_level level;
    char *subject; /* name of the store or account; "": the check is about none */
    char *text;    /* what was found */
    char *advice;  /* what to do; "": nothing */
};

/* Zero-initialised; release with findings_clear(). */
struct findings {
    struct finding *list;
    int count;
};

/** @brief "kafka", "store token", ... Static. */
const char *doctor_check_name(enum doctor_check check);

/** @brief Appends a finding. subject and advice are copied and may be "". In all three texts, control
 * characters and bytes that are no UTF-8 become \xHH. */
void findings_add(struct findings *findings, enum doctor_check check, const char *subject,
                  enum doctor_level level, const char *advice, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/** @brief Says of the checks first to last that they were skipped. because: "Kafka cannot be
 * reached". */
void findings_skip(struct findings *findings, enum doctor_check first, enum doctor_check last,
                   const char *subject, const char *because);

/** @brief Moves all of more behind findings; more is empty then. */
void findings_take(struct findings *findings, struct findings *more);
void findings_clear(struct findings *findings);

/** @brief How many findings have that level. */
int findings_count(const struct findings *findings, enum doctor_level level);

/** @brief One line for each finding, and a summary. colours: with those of a terminal. */
void findings_print(const struct findings *findings, int colours);

/** @brief The same as one JSON document. */
void findings_print_json(const struct findings *findings);

enum { DOCTOR_TIMEOUT_MS = 5000 }; /* for each connection and each answer */

/* The checks, by what they look at. Each of these may run beside the others. They change nothing
 * anywhere. index: of the store or account; else not used. */
void doctor_look_here(const struct config *config, int index, struct findings *findings);
void doctor_look_kafka(const struct config *config, int index, struct findings *findings);
void doctor_look_redis(const struct config *config, int index, struct findings *findings);
void doctor_look_store(const struct config *config, int index, struct findings *findings);
void doctor_look_account(const struct config *config, int index, struct findings *findings);

#endif
