/* answer.h - makes the answer to a request: finds the side it is for, applies faults, writes the
 * journal. */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include "faults.h"
#include "request.h"
#include "world.h"

/* How the reply is to be sent. */
struct answer {
    enum fault_kind
        kind; /* FAULT_CUT or FAULT_SLOW: they change how the answer is sent. Other faults were
                 applied before */
    int drop; /* end the connection without an answer */
    int64_t delay_ms; /* wait so long before the answer, or before the connection ends */
    int64_t pause_ms; /* FAULT_SLOW: wait so long between two pieces */
};

/** @brief Answers a complete request and writes the journal. Takes the world's lock. */
void answer_make(struct world *world, struct request *request, struct reply *reply,
                 struct answer *answer);

#endif
