/* faults.h - faults that are switched on over HTTP: which requests they are for, and what they do.
 * Chance comes from a seed, so a run can be repeated. */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include <stdint.h>

#include <jansson.h>

#include "blank.h"
#include "request.h"

enum side { SIDE_INFUSIONSOFT = 0, SIDE_BIGCOMMERCE, SIDE_CONTROL };

enum fault_kind {
    FAULT_NONE = 0,
    FAULT_STATUS,      /* another status, no effect */
    FAULT_DELAY,       /* a late answer */
    FAULT_DROP_BEFORE, /* the connection ends, no effect */
    FAULT_DROP_AFTER,  /* the effect is made, then the connection ends without an answer */
    FAULT_GARBAGE,     /* the effect is made, the answer is no JSON */
    FAULT_HTML,        /* a proxy's error page, no effect */
    FAULT_CUT,         /* the effect is made, half of the answer arrives */
    FAULT_SLOW,        /* the effect is made, the answer trickles */
    FAULT_BLANK,       /* the effect is made, a 2xx answer does not hold what was asked for */
};

struct fault {
    struct fault *next;
    int64_t id;
    int side; /* enum side, or -1: both */
    enum fault_kind kind;
    char *method; /* NULL: any */
    char *path;   /* prefix after the base path; NULL: any */
    char *store;  /* store hash; NULL: any */
    char *match;  /* text that query or body must contain; NULL: anything */
    int status;
    char *body;
    enum blank blank; /* FAULT_BLANK: as described */
    enum blank drawn; /* what the request in hand gets: BLANK_ANY is replaced by one of the
                         others */
    json_t *headers;  /* object of strings, or NULL */
    int64_t delay_ms;
    int64_t count;   /* how often it may still fire; -1: without limit */
    double share;    /* chance, 1 by default */
    int64_t every;   /* fires at each n-th matching request; 0: not used */
    uint64_t chance; /* state of its random number generator */
    int64_t seen;
    int64_t fired;
};

/* Zero-initialised. */
struct faults {
    struct fault *first;
    int64_t last_id;
};

/**
 * @brief Adds a fault from its JSON description.
 * @param message  receives what is wrong with it
 * @returns its id, or -1
 */
int64_t faults_add(struct faults *faults, const json_t *json, char *message, size_t size);

/** @brief Removes one, or all when id is 0. @returns how many were removed */
int faults_remove(struct faults *faults, int64_t id);

/** @brief All faults, each with how often a request matched it and how often it fired. New. */
json_t *faults_json(const struct faults *faults);

/** @brief The fault as JSON. New. */
json_t *fault_json(const struct fault *fault);

/**
 * @brief The first fault that fires for this request. Matches are counted.
 * @param path   path after the base ("/orders", "/v2/orders")
 * @param store  store hash, or ""
 * @returns borrowed until the next change of faults, or NULL
 */
struct fault *faults_meet(struct faults *faults, enum side side, const struct request *request,
                          const char *path, const char *store);

const char *fault_kind_name(enum fault_kind kind);

void faults_clear(struct faults *faults);

#endif
