/* blank.h - 2xx answers that do not hold what was asked for, as a broken cache or gateway between a
 * client and the vendor may send them. */
#ifndef SANDBOX_BLANK_H
#define SANDBOX_BLANK_H

#include "request.h"

enum blank {
    BLANK_ANY = 0, /* one of the next four, chosen by chance */
    BLANK_EMPTY,   /* no body */
    BLANK_OBJECT,  /* {} */
    BLANK_NULL,    /* null in place of the list, or of every member where there is no list */
    BLANK_OTHER,   /* the list, or the object, is under another name */
    BLANK_ITEMS,   /* the list's items have no members */
    BLANK_TOKEN,   /* next_page_token is a number */
};

/**
 * @brief Makes a 2xx reply blank; a 204 becomes a 200. Other answers stay as they are.
 * @param blank  anything but BLANK_ANY
 */
void blank_reply(struct reply *reply, enum blank blank);

#endif
