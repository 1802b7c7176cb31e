#include "stage/claim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/mark.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static const char *const state_names[] = {
    [CLAIM_NONE] = "",     [CLAIM_OPEN] = "open", [CLAIM_ALONE] = "alone",
    [CLAIM_IDLE] = "idle", [CLAIM_RAMP] = "ramp",
};

enum { DEATHS_MAX = 1000000 }; /* more is damaged */

enum { STATE_COUNT = sizeof(state_names) / sizeof(*state_names) };

uint64_t claim_key(struct text key)
{
    uint64_t digest = FNV_OFFSET;

    for (size_t i = 0; i < key.length; i++)
        digest = (digest ^ (unsigned char)key.data[i]) * FNV_PRIME;
    return digest;
}

void claim_print(const struct claim *claim, int64_t mark, char text[CLAIM_TEXT_BYTES])
{
    char words[MARK_TEXT_BYTES];
    int used = 0;

    text[0] = '\0';
    mark_print(mark, words);
    if (claim->state != CLAIM_NONE)
        used = snprintf(text, CLAIM_TEXT_BYTES,
                        "v1 offset=%" PRId64 " key=%016" PRIx64 " deaths=%d state=%s",
                        claim->offset, claim->key, claim->deaths, state_names[claim->state]);
    if (words[0] != '\0')
        snprintf(text + used, CLAIM_TEXT_BYTES - (size_t)used, "%s %s", used > 0 ? "" : "v1",
                 words);
}

static enum claim_state state_of(const char *name)
{
    for (int i = CLAIM_NONE + 1; i < STATE_COUNT; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum claim_state)i;
    return CLAIM_NONE;
}

void claim_parse(struct text text, struct claim *claim)
{
    char copy[4 * CLAIM_TEXT_BYTES], *rest = NULL, *word;
    long deaths = 0;

    *claim = (struct claim){.offset = -1};
    if (text.length == 0 || text.length >= sizeof(copy))
        return;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    word = strtok_r(copy, " ", &rest);
    if (word == NULL || strcmp(word, "v1") != 0)
        return;
    while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
        if (strncmp(word, "offset=", 7) == 0)
            claim->offset = strtoll(word + 7, NULL, 10);
        else if (strncmp(word, "key=", 4) == 0)
            claim->key = strtoull(word + 4, NULL, 16);
        else if (strncmp(word, "deaths=", 7) == 0)
            deaths = strtol(word + 7, NULL, 10);
        else if (strncmp(word, "state=", 6) == 0)
            claim->state = state_of(word + 6);
    }
    claim->deaths = (int)deaths;
    if (claim->offset < 0 || deaths < 0 || deaths > DEATHS_MAX)
        *claim = (struct claim){.offset = -1};
}

int claim_deaths(const struct claim *found, int64_t offset, uint64_t key)
{
    if (found->state == CLAIM_NONE || found->state == CLAIM_RAMP || found->offset != offset ||
        found->key != key)
        return 0;
    return found->deaths + (found->state == CLAIM_IDLE ? 0 : 1);
}

enum claim_verdict claim_decide(int deaths, int after)
{
    if (deaths == 0 || after == 0)
        return CLAIM_HAND;
    return deaths >= after ? CLAIM_POISON : CLAIM_SUSPECT;
}

int claim_is_unclean(const struct claim *found)
{
    return found->state == CLAIM_OPEN || found->state == CLAIM_ALONE || found->state == CLAIM_RAMP;
}
