#include "stage/handout.h"

#include "record/mark.h"

static int64_t higher(int64_t a, int64_t b) { return a > b ? a : b; }

void handout_init(struct handout *handout)
{
    *handout = (struct handout){.floor = MARK_NONE, .mark = MARK_NONE, .limit = INT64_MAX};
}

void handout_found(struct handout *handout, int64_t mark)
{
    handout->floor = handout->mark = handout->limit = mark;
}

void handout_begin(struct handout *handout, int64_t end)
{
    /* The records that were handed over since the assignment are below the end, unless a broker
     * lost records. */
    handout_found(handout, higher(end, handout->handed));
}

void handout_hold(struct handout *handout) { handout->limit = 0; }

int handout_allows(struct handout *handout, int64_t offset)
{
    if (offset < handout->limit) {
        handout->needed = higher(handout->needed, offset + 1);
        return 1;
    }
    /* The mark has to be high enough for the first record that waits; the records behind it
     * follow. */
    if (handout->needed <= handout->limit)
        handout->needed = offset + 1;
    return 0;
}

void handout_note(struct handout *handout, int64_t offset)
{
    handout->handed = higher(handout->handed, offset + 1);
}

int handout_is_low(const struct handout *handout, int block)
{
    return handout->mark != MARK_NONE && handout->needed > 0 &&
           handout->mark - handout->needed < block / 2;
}

void handout_raise(struct handout *handout, int block)
{
    if (handout_is_low(handout, block))
        handout->mark = handout->needed + block;
}

void handout_acknowledged(struct handout *handout, int64_t mark)
{
    if (mark != MARK_NONE && handout->limit != INT64_MAX)
        handout->limit = higher(handout->limit, mark);
}

int64_t handout_final(const struct handout *handout)
{
    return handout->floor == MARK_NONE ? MARK_NONE : higher(handout->floor, handout->handed);
}
