/* payload_format.h - the format of a payload as tables with one row for each member.
 * docs/mapping.md
 * ("The payload record") says the same in words. */
#ifndef PUSHER_PAYLOAD_FORMAT_H
#define PUSHER_PAYLOAD_FORMAT_H

#include <stdint.h>

enum payload_type {
    PAYLOAD_TEXT = 0, /* min to max characters; if min is over 0, not only blanks */
    PAYLOAD_LINES,    /* the same, and it may have line feeds */
    PAYLOAD_WORD,     /* one of the words */
    PAYLOAD_EMAIL,    /* see order_check_email() */
    PAYLOAD_LETTERS,  /* min to max capital letters */
    PAYLOAD_TIME,     /* 2019-03-05T21:40:11Z */
    PAYLOAD_INT,      /* min to max */
    PAYLOAD_DECIMAL,  /* digits, at most four of them after a point */
    PAYLOAD_AMOUNT,   /* the same, not negative */
    PAYLOAD_OBJECT,   /* of that shape */
    PAYLOAD_OR_NULL,  /* null, or an object of that shape */
    PAYLOAD_LIST,     /* min to max objects of that shape */
    PAYLOAD_NOTES, /* min to max texts of at most 100 small letters, digits, blanks, `_` and `:` */
};

enum payload_presence { PAYLOAD_REQUIRED = 0, PAYLOAD_OPTIONAL };

struct payload_shape;

struct payload_rule {
    const char *name;
    enum payload_type type;
    enum payload_presence presence;
    int64_t min, max;
    const char *const *words;          /* WORD: those that are allowed, then NULL */
    const struct payload_shape *shape; /* OBJECT, OR_NULL, and each entry of a LIST */
};

/* An object: the members that are known, at most 32. */
struct payload_shape {
    const struct payload_rule *rules;
    unsigned count;
};

/* One for each kind of payload. */
extern const struct payload_shape payload_order;
extern const struct payload_shape payload_withdrawn;
extern const struct payload_shape payload_contact;
extern const struct payload_shape payload_product;

#endif
