/* config.h - the settings: one INI file for all programs; each setting can be overridden by
 * environment. The table in option.c has a row for each setting: section, name, type, default,
 * range, help, and which programs read it. Defaults, checks, --help and --check come from it. All
 * programs check all settings, so a file that one program refuses is refused by all. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "settings/redis_url.h"

/* The programs, as bits that say who reads a setting. A secret is read from its file only by the
 * programs that need it. */
enum {
    PROGRAM_POLLER = 1 << 0,
    PROGRAM_FILTER = 1 << 1,
    PROGRAM_MAPPER = 1 << 2,
    PROGRAM_PUSHER = 1 << 3,
    PROGRAM_INSPECTOR = 1 << 4,
    PROGRAM_CONSOLE = 1 << 6,
    /* Beside the bits of all programs: it reads what they all read, and goes on where a secret
     * cannot be read. That secret is NULL then, and option_read_secret() says why. */
    PROGRAM_DOCTOR = 1 << 5,
};

enum after_sync { AFTER_SYNC_IGNORE = 0, AFTER_SYNC_NOTE, AFTER_SYNC_TAG };
enum existing_contact { EXISTING_KEEP = 0, EXISTING_OVERWRITE };
enum payments { PAYMENTS_OFF = 0, PAYMENTS_PAID, PAYMENTS_ALL };
enum order_notes { ORDER_NOTES_OFF = 0, ORDER_NOTES_CUSTOMER_MESSAGE };
enum goal_call_names { GOAL_CALL_NAMES_AS_IS = 0, GOAL_CALL_NAMES_LETTERS_DIGITS };
enum opt_in { OPT_IN_OPTED_IN = 0, OPT_IN_NEVER, OPT_IN_ALWAYS };
enum auth { AUTH_KEY = 0, AUTH_OAUTH };
enum key_header { KEY_HEADER_KEAP = 0, KEY_HEADER_BEARER };
enum discount_sign { DISCOUNT_NEGATIVE = 0, DISCOUNT_POSITIVE };
enum orders { ORDERS_ON = 0, ORDERS_OFF };
enum shipping_region { SHIPPING_REGION_NAME = 0, SHIPPING_REGION_CODE, SHIPPING_REGION_OFF };

/* Label of the order custom field that holds the external key. It is bigfusion's own, so no store may
 * fill it. */
#define CONFIG_KEY_FIELD "BigCommerce Order"

enum { CONFIG_FIELDS_MAX = 20 };

/* field.LABEL = PATH: an order custom field, and the member of the order that it gets. */
struct config_field {
    char *label;
    char *path; /* member names and list indexes with dots between them */
};

struct config_fields {
    struct config_field *list;
    int count; /* at most CONFIG_FIELDS_MAX */
};

/* [store NAME] */
struct config_store {
    char *name;    /* the section's name */
    int line;      /* where its section starts in the file */
    int code_line; /* lines of these settings, or the section's line where they are not in the
                      file */
    int hash_line;
    int account_line;
    char *code; /* the Store Code, for people */
    char *hash; /* the store hash, which identifies the store everywhere */
    char *token_file;
    char *token;       /* content of token_file, trimmed; NULL in programs that do not need it */
    char *account;     /* name of its [infusionsoft NAME] */
    int account_index; /* index into config.accounts */
    int allow_plain_http;
    char *api_url; /* no slash at the end */
    int64_t poll_interval_s;
    int contacts; /* 1: the customers are synced */
    int products; /* 1: the catalogue is synced */
    int64_t products_interval_s;
    char *start_from;        /* now, all, or an ISO 8601 date or time as given */
    int64_t start_from_ms;   /* parsed: 0 all, -1 now, else ms since 1970 */
    uint32_t statuses;       /* bit i: status id i is synced */
    int after_sync;          /* enum after_sync */
    char *after_sync_tag;    /* "off", or the template of a tag's name: see option_is_template() */
    int existing_contact;    /* enum existing_contact */
    int opt_in;              /* enum opt_in */
    int payments;            /* enum payments */
    char *payment_type;      /* "": payments is off */
    int order_notes;         /* enum order_notes */
    int goal_call_names;     /* enum goal_call_names */
    char *lead_affiliate_id; /* digits; "": none */
    struct config_fields fields;
    char *group_tag;  /* "off", or the template of a tag's name: see option_is_template() */
    char *sku_tag;    /* the same */
    char *coupon_tag; /* the same */
};

/* [infusionsoft NAME] */
struct config_account {
    char *name;
    int line;
    int allow_plain_http;
    char *api_url;
    int auth; /* enum auth */
    char *key_file;
    char *key;      /* content of the file, or NULL */
    int key_header; /* enum key_header */
    char *client_id;
    char *client_secret_file;
    char *client_secret;
    char *refresh_token_file;
    char *refresh_token;
    char *token_state_file;
    char *token_url;
    int64_t rate_per_s; /* our own limits; 0: none */
    int64_t rate_per_min;
    int64_t rate_per_day;
    char *currency;      /* "": the account is asked */
    int orders;          /* enum orders */
    int discount_sign;   /* enum discount_sign */
    int shipping_region; /* enum shipping_region */
    char *opt_in_reason;
    int64_t note_user_id; /* 0: not set */
    char *tenant;         /* "": not checked */
};

/* A line of [librdkafka]. It is passed on to librdkafka. */
struct config_pair {
    char *name;
    char *value;
};

/* [http]: how the stores and accounts are called. */
struct http_settings {
    char *ca_file; /* the authorities' certificates; "": the system's */
    char *proxy;   /* "http://host:port"; "": none */
};

struct config {
    const char *path; /* the file that was read */
    struct {
        char *brokers;
        char *topic_prefix;
        int64_t partitions;
        int64_t replication;
        int64_t min_insync_replicas; /* 0: 2 where replication is 3 or more, else 1 */
        int64_t max_record_bytes;
        int64_t session_timeout_ms;
        int64_t poison_after;
        char *sasl_password_file;
        char *sasl_password; /* content of the file, or NULL */
    } kafka;
    struct {
        struct redis_server server;
        int64_t ledger_keep_days;
    } redis;
    struct http_settings http;
    struct {
        char *listen; /* "off" or host:port */
    } health;
    struct {
        int allow_plain_http;
        char *url; /* no slash at the end */
        char *token_file;
        char *token;  /* content of the file, or NULL */
        char *listen; /* host:port */
        char *index_file;
        int64_t history_keep_days;
    } console;
    struct {
        int64_t settle_s;
        int64_t overlap_s;
        int64_t page_size;
        int64_t lease_s;
    } poller;
    struct {
        int64_t workers;
        int64_t lease_s;
        int64_t http_timeout_s;
        int64_t visibility_delay_s;
        int64_t max_attempts;
        int64_t retry_delays_s[3];
        int send_traceparent; /* 1: calls to Infusionsoft have the header */
    } pusher;
    struct config_store *stores;
    int store_count;
    struct config_account *accounts;
    int account_count;
    struct config_pair *librdkafka;
    int librdkafka_count;
};

/** @brief Adds one to the list, each label once. @returns NULL; or why it is refused, static */
const char *config_fields_add(struct config_fields *fields, const char *label, const char *path);
void config_fields_free(struct config_fields *fields);

/* What a program tells config_load() about itself. */
struct config_program {
    int program;         /* one PROGRAM_ bit */
    const char *name;    /* "bigfusion-mapper" */
    const char *summary; /* the first lines of --help */
    /* For --health: asks the process that runs with these settings whether it is alive. Returns 0,
     * or -1 with an error. NULL: the program has no such option. */
    int (*health)(const struct config *config, struct error *err);
};

/**
 * @brief Reads the command line (--help --version --check --health --config FILE), the file
 * (--config, else BIGFUSION_CONFIG, else /etc/bigfusion/bigfusion.conf) and the environment, and
 * checks every setting.
 * --help, --version and --check print something and end the process: 0, or 100 where --check finds
 * a fault. Settings without a store, as a package installs them, are no fault for --check; a
 * program does not start with them. --health prints one line and ends it with 0 or 1. A service,
 * and --check, also logs the warnings of config_warn().
 * @returns 0, or -1 with a permanent error that names file, line, section, setting and what is
 * allowed
 */
int config_load(struct config *config, const struct config_program *program, int argc, char **argv,
                struct error *err);

/** @brief Reads and checks one file: config_load() without a command line; path is kept. */
int config_read(struct config *config, int program, const char *path, struct error *err);

/** @brief As config_read(), for a file that is open already. path is for messages, and kept. */
int config_read_stream(struct config *config, int program, const char *path, FILE *file,
                       struct error *err);

/** @brief The last part of config_read_stream(): checks the settings that depend on each other, and
 * finds the account of each store. */
int config_check(struct config *config, int program, struct error *err);

/* A setting that is allowed but weakens what protects secrets and connections. The strings are
 * borrowed for the call. */
struct config_weakness {
    const char *what;   /* "secret file can be read by every user" */
    const char *kind;   /* file, folder, or [librdkafka] */
    const char *name;   /* path, or name of the setting */
    int mode;           /* of the file or folder; else -1 */
    const char *wanted; /* the mode or value that it should have */
};

typedef void (*config_visit_weakness)(void *context, const struct config_weakness *weakness);

/** @brief Finds files that others may read or write, and brokers that are not verified. */
void config_find_weaknesses(const struct config *config, int program, config_visit_weakness visit,
                            void *context);

/** @brief Logs a warning for each of them. config_load() calls it. */
void config_warn(const struct config *config, int program);

/** @brief Releases what config_load() allocated; secrets are wiped first. */
void config_free(struct config *config);

/** @brief The store of that hash, or NULL. Borrowed from config. */
const struct config_store *config_store_by_hash(const struct config *config, struct text hash);

/**
 * @brief The store that a person named by its hash or its Store Code; case does not count in a code.
 * Borrowed from config.
 * @returns NULL with a permanent error: there is none, or stores of several accounts have that code
 */
const struct config_store *config_store_named(const struct config *config, const char *word,
                                              struct error *err);

/** @brief The account of that name, or NULL. Borrowed from config. */
const struct config_account *config_account_by_name(const struct config *config, struct text name);

#endif
