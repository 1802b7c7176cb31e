#include "decide.h"

#include "topic.h"

enum { SHORT_ATTEMPTS = 3, MIDDLE_ATTEMPTS = 6 };

enum decision decide_failure(const struct failure *failure, int *topic)
{
    *topic = failure->attempt <= SHORT_ATTEMPTS    ? 0
             : failure->attempt <= MIDDLE_ATTEMPTS ? 1
                                                   : TOPIC_RETRY_COUNT - 1;
    if (failure->attempt < failure->max_attempts || failure->doubt)
        return DECISION_RETRY;
    return failure->order_done ? DECISION_INCOMPLETE : DECISION_GIVE_UP;
}

struct lookup decide_lookup(struct text wanted)
{
    struct lookup lookup = {wanted, 0};

    for (size_t i = 0; i < wanted.length; i++) {
        char c = wanted.data[i];

        if (c == ';' || c == ',' || c == '*') {
            lookup.value.length = i;
            lookup.prefix = 1;
            break;
        }
    }
    return lookup;
}
