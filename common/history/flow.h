/* flow.h - how the records flow through the services: what is not finished, how old it is, and how
 * many come and are finished in a second. */
#ifndef COMMON_FLOW_H
#define COMMON_FLOW_H

#include <stdint.h>

#include "history/spot.h"
#include "history/survey.h"

/* One input topic of one service. */
struct flow_topic {
    const char *topic; /* borrowed from the survey's topics */
    int group;         /* index into spot_groups */
    int64_t unread;    /* records that are not finished: from the committed offset to the end */
    int64_t oldest_ms; /* the time of the oldest of them; -1: there is none */
    int64_t begin_committed, begin_end; /* sums over the partitions, at the begin of the window */
    int64_t end_committed, end_end;     /* and at its end */
    int64_t newest_ms;                  /* waiting topics: the time of the newest record; else -1 */
    char *newest_why;                   /* waiting topics: reason and detail of that record, or
                                           NULL; owned */
};

/* Embedded, zero-initialised; release with flow_clear(). */
struct flow {
    struct flow_topic *topics;
    int count;
    int members[SPOT_GROUP_COUNT];     /* -1: the broker does not tell */
    char states[SPOT_GROUP_COUNT][32]; /* of the groups */
    int64_t begin_ms;                  /* monotonic: when the window began */
    int64_t window_ms;                 /* how long it was */
};

/** @brief Begins the window in which rates are measured. @returns 0, or -1 with an error */
int flow_begin(struct flow *flow, struct survey *survey, struct error *err);

/** @brief Ends it, after least_ms at least, and reads the oldest records and the members.
 * @returns 0, or -1 with an error */
int flow_end(struct flow *flow, struct survey *survey, int64_t least_ms, struct error *err);
void flow_clear(struct flow *flow);

#endif
