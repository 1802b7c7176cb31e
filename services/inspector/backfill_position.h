/* backfill_position.h - how far a backfill came, as a record of the topic `cursors`. Pure.
 *
 * Its key is <store hash>/backfill/<from>/<to>, so another window is another backfill. It is saved after
 * each page that Kafka has; a tombstone follows the last one. */
#ifndef INSPECTOR_BACKFILL_POSITION_H
#define INSPECTOR_BACKFILL_POSITION_H

#include <stdint.h>

#include "base/date.h"
#include "base/mem.h"
#include "record/event.h"

enum {
    BACKFILL_KEY_BYTES = EVENT_STORE_BYTES_MAX + 16 + 2 * DATE_ISO_BYTES,
    BACKFILL_LEAVE_BYTES = 16,
};

struct backfill_position {
    int64_t first_id; /* of the window; -1: nothing was read yet */
    int64_t last_id;  /* every order of the window up to this id was published; -1: none was */
    int64_t orders;   /* how many those are */
    char leave_out[BACKFILL_LEAVE_BYTES]; /* the header leave_out of its records; "": none */
};

/** @brief Makes a position of which nothing is read. */
void backfill_position_init(struct backfill_position *position, const char *leave_out);

void backfill_position_key(char key[BACKFILL_KEY_BYTES], const char *store, int64_t from_ms,
                           int64_t to_ms);

/** @brief Appends the record's value. */
void backfill_position_print(const struct backfill_position *position, int64_t saved_ms,
                             struct buffer *target);

/** @brief Reads a record's value. @returns 0, or -1 where it is none; position is unchanged then */
int backfill_position_parse(struct text value, struct backfill_position *position);

#endif
