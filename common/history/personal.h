/* personal.h - hides what a vendor's answer repeats of the customer. Pure.
 *
 * A vendor may quote what it refuses: "Doe is no family name". What was sent to it stands in the
 * payload, so those texts are looked for in the answer. */
#ifndef COMMON_PERSONAL_H
#define COMMON_PERSONAL_H

#include "base/mem.h"

/* What payloads say of a customer. Embedded, zero-initialised; release with personal_clear(). */
struct personal {
    char **texts; /* names, e-mail, telephone, parts of addresses */
    int count;
};

/** @brief Learns what a payload says of its customer. A text that is no payload teaches nothing, and
 * after a thousand texts nothing more is learnt, so that a hostile record costs no time. */
void personal_learn(struct personal *personal, struct text payload);
void personal_clear(struct personal *personal);

/** @brief Overwrites with asterisks whatever was learnt, in any case of its letters, and every word
 * with an '@'. */
void personal_hide(const struct personal *personal, char *text);

#endif
