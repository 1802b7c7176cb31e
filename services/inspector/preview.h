/* preview.h - the parts of `bigfusion preview`: read the newest orders of a store, ask filter and
 * mapper about each, compare two configurations. */
#ifndef INSPECTOR_PREVIEW_H
#define INSPECTOR_PREVIEW_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "base/mem.h"
#include "mapping/filter.h"
#include "mapping/mapper.h"
#include "record/reason.h"
#include "record/topic.h"
#include "settings/config.h"

#include "whole_order.h"

enum preview_kind { PREVIEW_SYNCED = 0, PREVIEW_SKIPPED, PREVIEW_PARKED, PREVIEW_KIND_COUNT };

/** @brief "synced", "skipped", "parked". Static. */
const char *preview_kind_name(enum preview_kind kind);

/* What would become of an order. */
struct preview_answer {
    enum preview_kind kind;
    enum reason reason; /* SKIPPED, PARKED */
    char detail[160];
    struct buffer payload; /* SYNCED: what the mapper wrote */
};

/* One configuration that orders are judged by (preview_judge.c). Embedded. */
struct preview_judge {
    const struct config *config; /* keeps */
    const struct config_store *store;
    int64_t start_from_ms; /* resolved; 0: all */
    struct topics topics;
    struct stage_settings filter_settings, mapper_settings;
    struct filter filter;
    struct mapper mapper;
};

/** @brief judge is not moved afterwards. regions: keeps. Release with preview_judge_clear(). */
void preview_judge_init(struct preview_judge *judge, const struct config *config,
                        const struct config_store *store, int64_t start_from_ms,
                        const struct regions *regions);
void preview_judge_clear(struct preview_judge *judge);

/**
 * @brief Says what the poller, the filter and the mapper would make of an order. Pure.
 * @param answer  out; its payload's memory is used again, release it with buffer_clear()
 */
void preview_judge_order(struct preview_judge *judge, const struct whole_order *order,
                         struct preview_answer *answer);

/**
 * @brief Counts in parts each part of a payload that differs: {"order.order_title": 12}. A part is
 * named by its members, and by [] for any element of a list. An order counts once for each part.
 * Pure (preview_compare.c).
 * @returns how many parts differ
 */
int preview_compare(json_t *parts, struct text before, struct text after);

/* What was found under one configuration (preview_tally.c). Embedded, zero-initialised. */
struct preview_tally {
    int64_t kinds[PREVIEW_KIND_COUNT];
    int64_t reasons[PREVIEW_KIND_COUNT][REASON_COUNT];
};

/* All that was found. */
struct preview {
    const struct config_store *store;
    int has_other; /* --against was given */
    const char *other_path;
    int64_t start_from_ms, other_start_from_ms;
    const char *start_from_source; /* "saved" by the poller, or "configuration" */
    struct preview_tally now, other;
    json_t *orders;  /* one object for each order, newest first */
    json_t *moves;   /* {"skipped status -> synced": n} */
    json_t *parts;   /* see preview_compare() */
    int64_t changed; /* orders whose answer differs */
    int64_t altered; /* orders that are synced by both, with another payload */
};

void preview_init(struct preview *preview, const struct config_store *store);
void preview_clear(struct preview *preview);

/** @brief Takes an order into account. other: NULL without --against. */
void preview_add(struct preview *preview, const struct whole_order *order,
                 const struct preview_answer *now, const struct preview_answer *other);

/* preview_print.c */
void preview_print_json(const struct preview *preview);
void preview_print_text(const struct preview *preview);

/** @brief Is given an order; its texts are borrowed for the call. */
typedef void (*preview_visit)(void *context, const struct whole_order *order);

/**
 * @brief Reads the newest orders of a store, the newest first, at the pace of its quota; says on
 * standard error how far it is (preview_read.c).
 * @returns 0, or -1 with an error
 */
int preview_read(const struct config *config, const struct config_store *store, int64_t last,
                 preview_visit visit, void *context, struct error *err);

#endif
