/* blank.h - good answers that say nothing of what was asked: what a broken cache or a gateway
 * between a client and its vendor makes of them. */
#ifndef SANDBOX_BLANK_H
#define SANDBOX_BLANK_H

#include "request.h"

enum blank {
    BLANK_ANY = 0, /* one of the next four, by chance */
    BLANK_EMPTY,   /* no body */
    BLANK_OBJECT,  /* {} */
    BLANK_NULL,    /* null where the list was, or every member where there is no list */
    BLANK_OTHER,   /* the list, or the object, stands under another name */
    BLANK_ITEMS,   /* the list's items have no members */
    BLANK_TOKEN,   /* next_page_token is a number */
};

/**
 * @brief Blanks a 2xx reply; a 204 becomes a 200. Refusals stay as they are.
 * @param blank  anything but BLANK_ANY
 */
void blank_reply(struct reply *reply, enum blank blank);

#endif
