/* handout.h - how far records of one partition may be handed to workers. Pure: no Kafka, no clock.
 * Used by a stage whose records have effects outside Kafka.
 *
 * The hand-out mark of a partition stands in Kafka beside the group's committed offset
 * (record/mark.h) and promises: no record at the mark or behind it was ever handed to a worker. So
 * the mark is moved ahead first, by a block of records, and they are handed over once Kafka has
 * acknowledged it. Whoever lost all else then knows from Kafka alone which records can have been
 * begun: those between the committed offset and the mark.
 *
 * Two rules keep the promise whatever becomes of a commit:
 * - A mark is moved only while no commit of the group is unanswered. So all commits that Kafka may
 *   still carry out, in whatever order, say the same mark or a higher one than the records under
 *   way need.
 * - The mark found at assignment is never lowered: another one may have handed out up to it. What
 *   this assignment added and did not hand over is given back when the partition is.
 *
 * Where no mark is found nothing is known: all that is in the partition at that moment may have
 * been handed out, and the mark begins at its end. Until Kafka has a mark, whoever looks for it
 * finds none and takes every record for handed out, so no record has to wait. */
#ifndef COMMON_HANDOUT_H
#define COMMON_HANDOUT_H

#include <stdint.h>

/* Of one assignment of one partition; embedded, made by handout_init(). */
struct handout {
    int64_t floor;  /* the mark is never lower; MARK_NONE: no mark is known yet */
    int64_t mark;   /* what commits say from now on; MARK_NONE: no mark */
    int64_t limit;  /* the first offset that is not to be handed over yet */
    int64_t needed; /* the mark has to be so high for the records that were asked about; 0: none */
    int64_t handed; /* the first offset above those handed over; 0: none was */
};

/** @brief Nothing is known: no mark, no limit. */
void handout_init(struct handout *handout);

/** @brief A mark was found beside the committed offset. */
void handout_found(struct handout *handout, int64_t mark);

/** @brief No mark was found, and end is the partition's end, read after the partition was assigned:
 * all records that anybody handed out are below it. */
void handout_begin(struct handout *handout, int64_t end);

/** @brief Whether this record may be handed over. Notes that somebody asked: the mark has to
 * follow.
 */
int handout_allows(struct handout *handout, int64_t offset);

/** @brief The record is handed over. */
void handout_note(struct handout *handout, int64_t offset);

/** @brief Whether the mark is to be moved: less than half a block is left. */
int handout_is_low(const struct handout *handout, int block);

/** @brief Moves the mark where it is low; only while no commit is unanswered, see above. */
void handout_raise(struct handout *handout, int block);

/** @brief Kafka has acknowledged a commit with this mark (MARK_NONE: with none). */
void handout_acknowledged(struct handout *handout, int64_t mark);

/** @brief The mark to write when the partition is given back and nothing more is handed over. */
int64_t handout_final(const struct handout *handout);

#endif
