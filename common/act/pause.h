/* pause.h - pauses a store or an account, and ends the pause (paused.h says what that means). */
#ifndef COMMON_PAUSE_H
#define COMMON_PAUSE_H

#include "act/act.h"
#include "act/paused.h"

/* A store or an account, as it is configured. */
struct pause_target {
    enum paused_kind kind;
    const char *name;  /* hash of the store, name of the account; borrowed from config */
    const char *shown; /* Store Code or name, for people; borrowed from config */
};

/**
 * @brief Finds what a word means: a Store Code, a store's hash or the name of an account. "store:" or "account:" in front of it decides where several are meant. Pure.
 * @returns 0, or -1 with a permanent error
 */
int pause_target_find(const struct config *config, const char *word, struct pause_target *target,
                      struct error *err);

/**
 * @brief Pauses, or ends the pause.
 * @param changed  out: 0 where it was so before; nothing is written then
 * @returns 0, or -1 with an error
 */
int pause_set(struct act *act, const struct pause_target *target, int is_paused, int *changed,
              struct error *err);

#endif
