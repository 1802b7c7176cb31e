/* answer.h - from a request to its answer: which side it is for, faults on the way, the journal. */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include "faults.h"
#include "request.h"
#include "world.h"

/* How the reply is to be sent. */
struct answer {
    enum fault_kind
        kind; /* FAULT_CUT and FAULT_SLOW change the sending; the others have been dealt with */
    int drop; /* end the connection without an answer */
    int64_t delay_ms; /* before the answer, or before the end */
    int64_t pause_ms; /* FAULT_SLOW: between two pieces */
};

/** @brief Works on a complete request and writes the journal; takes the world's lock. */
void answer_make(struct world *world, struct request *request, struct reply *reply,
                 struct answer *answer);

#endif
