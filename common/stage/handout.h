/* handout.h - decides how far the records of one partition may be handed to workers. Pure: no
 * Kafka, no clock. Used by a stage whose records have effects outside Kafka.
 *
 * The hand-out mark of a partition is in Kafka, beside the group's committed offset
 * (record/mark.h). It promises that no record at the mark or behind it was ever handed to a worker.
 * So the mark is first moved ahead by a block of records, and these are handed over only after
 * Kafka has acknowledged the new mark. If everything else is lost, Kafka alone shows which records
 * can have been begun: those between the committed offset and the mark.
 *
 * Two rules keep this promise, whatever becomes of a commit:
 * - A mark is moved only while no commit of the group is unanswered. Kafka may still carry out
 *   unanswered commits, in any order; each of them then has a mark that is high enough.
 * - The mark that was found at the assignment is never lowered, because another process may have
 *   handed out records up to it. What this process added to the mark and did not use is given back
 *   when the partition is revoked.
 *
 * Where no mark is found, nothing is known: everything in the partition at that moment may have
 * been handed out, so the mark begins at its end. Until Kafka has that mark, whoever looks for it
 * finds none and assumes that every record was handed out. So no record has to wait for it. But
 * where Kafka did not answer what stands there, a mark may stand there: see handout_hold(). */
#ifndef COMMON_HANDOUT_H
#define COMMON_HANDOUT_H

#include <stdint.h>

/* The state of one assignment of one partition. Embedded; made by handout_init(). */
struct handout {
    int64_t floor;  /* the mark is never lower than this; MARK_NONE: no mark is known yet */
    int64_t mark;   /* the mark that is written from now on; MARK_NONE: no mark */
    int64_t limit;  /* the first offset that must not be handed over yet */
    int64_t needed; /* the mark must be at least this for the records that were asked about; 0:
                       none */
    int64_t handed; /* the offset behind the last one that was handed over; 0: none was */
};

/** @brief The state at the beginning: nothing is known, no mark, no limit. */
void handout_init(struct handout *handout);

/** @brief Says that a mark was found beside the committed offset. */
void handout_found(struct handout *handout, int64_t mark);

/** @brief Says that no mark was found. end is the partition's end, read after the partition was
 * assigned, so all records that anybody handed out are below it. */
void handout_begin(struct handout *handout, int64_t end);

/** @brief Says that it is not known what stands in Kafka: no record may be handed over until Kafka
 * has acknowledged a mark of ours, because an older and lower one may stand there. */
void handout_hold(struct handout *handout);

/** @brief Whether this record may be handed over. Also notes that it was asked for, so that the
 * mark follows. */
int handout_allows(struct handout *handout, int64_t offset);

/** @brief Says that the record is handed over. */
void handout_note(struct handout *handout, int64_t offset);

/** @brief Whether the mark has to be moved: less than half a block is left. */
int handout_is_low(const struct handout *handout, int block);

/** @brief Moves the mark where it is low. Only while no commit is unanswered, see above. */
void handout_raise(struct handout *handout, int block);

/** @brief Says that Kafka has acknowledged a commit with this mark (MARK_NONE: with none). */
void handout_acknowledged(struct handout *handout, int64_t mark);

/** @brief The mark to write when the partition is revoked and nothing more is handed over. */
int64_t handout_final(const struct handout *handout);

#endif
