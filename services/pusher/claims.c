#include "claims.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { TAKEN_LOOK_MS = 50 };

struct claim {
    struct claim *next;
    char *name;
    int paused;
    int64_t until_ms;           /* while paused: nobody takes it before; monotonic */
    char key[LEDGER_KEY_BYTES]; /* while paused: key and fence of the lease */
    char fence[LEDGER_FENCE_BYTES];
};

struct claims {
    pthread_mutex_t lock;
    struct claim *first; /* a short list: what workers have in hand, and what is paused */
};

struct claims *claims_new(void)
{
    struct claims *claims = mem_alloc(sizeof(*claims));

    pthread_mutex_init(&claims->lock, NULL);
    return claims;
}

static void remove_claim(struct claim **link)
{
    struct claim *claim = *link;

    *link = claim->next;
    free(claim->name);
    free(claim);
}

void claims_free(struct claims *claims)
{
    if (claims == NULL)
        return;
    while (claims->first != NULL)
        remove_claim(&claims->first);
    pthread_mutex_destroy(&claims->lock);
    free(claims);
}

/* The link that points to the claim of that name, or that ends the list. The lock is held. */
static struct claim **find(struct claims *claims, const char *name)
{
    struct claim **link = &claims->first;

    while (*link != NULL && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

static char *name_of(const struct ledger_request *request)
{
    return mem_printf("%d/%.*s/%.*s", (int)request->kind, (int)request->account.length,
                      request->account.data, (int)request->id.length, request->id.data);
}

int64_t claims_take(struct claims *claims, const struct ledger_request *request)
{
    char *name = name_of(request);
    int64_t now_ms = clock_monotonic_ms(), wait_ms = 0;
    struct claim **link, *claim;

    pthread_mutex_lock(&claims->lock);
    link = find(claims, name);
    claim = *link;
    if (claim == NULL) {
        claim = *link = mem_alloc(sizeof(*claim));
        claim->name = name;
        name = NULL;
    } else if (!claim->paused) {
        wait_ms = TAKEN_LOOK_MS;
    } else if (claim->until_ms > now_ms) {
        wait_ms = claim->until_ms - now_ms;
    } else {
        claim->paused = 0;
    }
    pthread_mutex_unlock(&claims->lock);
    free(name);
    return wait_ms;
}

void claims_pause(struct claims *claims, const struct ledger_request *request,
                  const struct ledger_grant *grant, int64_t wait_ms)
{
    char *name = name_of(request);
    struct claim *claim;

    pthread_mutex_lock(&claims->lock);
    claim = *find(claims, name);
    if (claim != NULL) {
        claim->paused = 1;
        claim->until_ms = clock_monotonic_ms() + wait_ms;
        snprintf(claim->key, sizeof(claim->key), "%s", grant->key);
        snprintf(claim->fence, sizeof(claim->fence), "%s", grant->fence);
    }
    pthread_mutex_unlock(&claims->lock);
    free(name);
}

void claims_drop(struct claims *claims, const struct ledger_request *request)
{
    char *name = name_of(request);
    struct claim **link;

    pthread_mutex_lock(&claims->lock);
    link = find(claims, name);
    if (*link != NULL)
        remove_claim(link);
    pthread_mutex_unlock(&claims->lock);
    free(name);
}

void claims_give_back(struct claims *claims, const struct ledger_settings *settings)
{
    struct ledger *ledger = claims->first != NULL ? ledger_new(settings) : NULL;
    struct error err = {0};

    for (const struct claim *claim = claims->first; claim != NULL; claim = claim->next) {
        struct ledger_grant grant = {0};
        enum ledger_answer answer;

        if (!claim->paused)
            continue;
        snprintf(grant.key, sizeof(grant.key), "%s", claim->key);
        snprintf(grant.fence, sizeof(grant.fence), "%s", claim->fence);
        if (ledger_finish(ledger, &grant, LEDGER_FINISH_RETRY, NULL, NULL, NULL, NULL, &answer,
                          &err) != 0) {
            log_warn("leases not given back error=\"%s\"", err.text);
            break; /* the leases run out by themselves */
        }
    }
    ledger_free(ledger);
}
