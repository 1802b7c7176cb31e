#include "bigcommerce/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"

/* KEYS: lease, pollers, state.
 * ARGV: what to do, owner, ttl, fence, held, stores, then pairs of names and values.
 *
 * acquire: takes the lease. Answers GRANT fence share, or WAIT ms share.
 * renew: prolongs it, and writes the pairs into the state. Answers GRANT fence share, or LOST.
 * raise: like renew, with a greater fence; its one pair is "over" and the least new fence.
 * release: gives the lease back. leave: takes the owner off the pollers. Both answer OK.
 *
 * "share" is the number of leases that one poller may hold. An end of a lease that is further ahead
 * than ttl was written before Redis' clock was set back. Such a lease counts as run out. */
static const char script_text[] =
    "local what, me, ttl, fence = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "local time = redis.call('TIME')\n"
    "local us = tonumber(time[1]) * 1000000 + tonumber(time[2])\n"
    "local now = math.floor(us / 1000)\n"
    "if what == 'leave' then redis.call('ZREM', KEYS[2], me) return {'OK'} end\n"
    "redis.call('ZADD', KEYS[2], now, me)\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ttl)\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], now + 1, '+inf')\n"
    "redis.call('PEXPIRE', KEYS[2], ttl * 10)\n"
    "local share = math.ceil(tonumber(ARGV[6]) / redis.call('ZCARD', KEYS[2]))\n"
    "local held = redis.call('HMGET', KEYS[1], 'owner', 'fence', 'until')\n"
    "local last, ends = tonumber(held[2] or '0') or 0, tonumber(held[3] or '0') or 0\n"
    "local function keep(with)\n"
    "  local text = string.format('%.0f', with)\n"
    "  redis.call('HSET', KEYS[1], 'owner', me, 'fence', text,\n"
    "             'until', string.format('%.0f', now + ttl))\n"
    "  redis.call('PEXPIRE', KEYS[1], ttl * 10)\n"
    "  return {'GRANT', text, share}\n"
    "end\n"
    "if what == 'acquire' then\n"
    "  if held[1] and held[1] ~= me and ends > now and ends <= now + ttl then\n"
    "    return {'WAIT', ends - now, share}\n"
    "  end\n"
    "  if tonumber(ARGV[5]) >= share then return {'WAIT', ttl, share} end\n"
    "  return keep(math.max(us, last + 1))\n"
    "end\n"
    "if held[1] ~= me or last ~= fence then return {'LOST'} end\n"
    "if what == 'release' then redis.call('DEL', KEYS[1]) return {'OK'} end\n"
    "if what == 'raise' then return keep(math.max(last + 1, tonumber(ARGV[8]))) end\n"
    "if #ARGV > 6 then redis.call('HSET', KEYS[3], unpack(ARGV, 7)) end\n"
    "return keep(fence)\n";

enum { FIXED_ARGUMENTS = 10, ARGUMENTS_MAX = FIXED_ARGUMENTS + 12, NUMBER_BYTES = 24 };

void lease_group_init(struct lease_group *group, const char *prefix, const char *role,
                      int64_t ttl_ms, int store_count)
{
    unsigned char bytes[16] = {0};

    *group = (struct lease_group){
        .prefix = prefix, .role = role, .ttl_ms = ttl_ms, .store_count = store_count};
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort(); /* two pollers with the same name would both believe to hold a lease */
    for (int i = 0; i < 16; i++)
        snprintf(group->owner + 2 * i, 3, "%02x", bytes[i]);
    atomic_init(&group->held, 0);
}

void lease_init(struct lease *lease, struct lease_group *group, struct redis *redis,
                const char *hash)
{
    *lease = (struct lease){
        .group = group,
        .redis = redis,
        .lease_key = mem_printf("%s:%s:%s:lease", group->prefix, group->role, hash),
        .state_key = mem_printf("%s:%s:%s:state", group->prefix, group->role, hash),
        .pollers_key = mem_printf("%s:%ss", group->prefix, group->role),
    };
}

void lease_clear(struct lease *lease)
{
    free(lease->lease_key);
    free(lease->state_key);
    free(lease->pollers_key);
    *lease = (struct lease){0};
}

static void set_fence(struct lease *lease, int64_t fence)
{
    if (lease->fence == 0 && fence != 0)
        atomic_fetch_add(&lease->group->held, 1);
    if (lease->fence != 0 && fence == 0)
        atomic_fetch_sub(&lease->group->held, 1);
    lease->fence = fence;
}

/* Runs the script. extra: names and values of the pairs, or NULL. */
static redisReply *run(struct lease *lease, const char *what, int64_t fence,
                       const char *const *extra, int extra_count, struct error *err)
{
    /* Each call has its own, because the SHA is written into it and threads run side by side. */
    struct redis_script script = {.name = "lease", .prelude = "", .body = script_text};
    char ttl[NUMBER_BYTES], fence_text[NUMBER_BYTES], held[NUMBER_BYTES], stores[NUMBER_BYTES];
    const char *arguments[ARGUMENTS_MAX] = {"3",
                                            lease->lease_key,
                                            lease->pollers_key,
                                            lease->state_key,
                                            what,
                                            lease->group->owner,
                                            ttl,
                                            fence_text,
                                            held,
                                            stores};
    int count = FIXED_ARGUMENTS;

    redis_script_init(&script);
    snprintf(ttl, sizeof(ttl), "%lld", (long long)lease->group->ttl_ms);
    snprintf(fence_text, sizeof(fence_text), "%lld", (long long)fence);
    snprintf(held, sizeof(held), "%d", atomic_load(&lease->group->held));
    snprintf(stores, sizeof(stores), "%d", lease->group->store_count);
    for (int i = 0; i < extra_count && count < ARGUMENTS_MAX; i++)
        arguments[count++] = extra[i];
    return redis_script_run(lease->redis, &script, count, arguments, NULL, err);
}

static int is_answer(const redisReply *reply, const char *word, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           strcmp(reply->element[0]->str, word) == 0;
}

static int64_t number_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_INTEGER
               ? reply->integer
               : strtoll(reply->str != NULL ? reply->str : "0", NULL, 10);
}

int lease_acquire(struct lease *lease, int64_t *wait_ms, struct error *err)
{
    int64_t asked_ms = clock_monotonic_ms();
    redisReply *reply = run(lease, "acquire", 0, NULL, 0, err);

    *wait_ms = lease->group->ttl_ms / 3;
    if (reply == NULL)
        return -1;
    if (is_answer(reply, "GRANT", 3)) {
        set_fence(lease, number_of(reply->element[1]));
        lease->renewed_ms = asked_ms;
        lease->crowded = 0;
        *wait_ms = 0;
    } else if (is_answer(reply, "WAIT", 3) && number_of(reply->element[1]) < *wait_ms) {
        *wait_ms = number_of(reply->element[1]) + 1;
    }
    freeReplyObject(reply);
    return 0;
}

int lease_held(const struct lease *lease)
{
    return lease->fence != 0 && clock_monotonic_ms() - lease->renewed_ms < lease->group->ttl_ms;
}

static int renew(struct lease *lease, const char *what, const char *const *extra, int extra_count,
                 struct error *err)
{
    int64_t asked_ms = clock_monotonic_ms();
    redisReply *reply;

    if (lease->fence == 0)
        return 0;
    reply = run(lease, what, lease->fence, extra, extra_count, err);
    if (reply == NULL)
        return -1;
    if (is_answer(reply, "GRANT", 3)) {
        lease->renewed_ms = asked_ms;
        lease->crowded = atomic_load(&lease->group->held) > number_of(reply->element[2]);
    } else {
        set_fence(lease, 0);
    }
    freeReplyObject(reply);
    return lease->fence != 0;
}

int lease_renew(struct lease *lease, struct error *err)
{
    return renew(lease, "renew", NULL, 0, err);
}

int lease_raise(struct lease *lease, int64_t floor, struct error *err)
{
    char wanted[NUMBER_BYTES];
    const char *pair[] = {"over", wanted};
    int64_t fence = floor < INT64_MAX ? floor + 1 : floor;
    int answer;

    snprintf(wanted, sizeof(wanted), "%lld", (long long)fence);
    answer = renew(lease, "raise", pair, 2, err);
    if (answer == 1 && fence > lease->fence)
        lease->fence = fence;
    return answer;
}

int lease_keep(struct lease *lease, struct error *err)
{
    if (lease->fence != 0 && clock_monotonic_ms() - lease->renewed_ms < lease->group->ttl_ms / 3)
        return 1;
    return lease_renew(lease, err);
}

int lease_tell(struct lease *lease, const struct lease_state *state, struct error *err)
{
    char cursor[NUMBER_BYTES], start_from[NUMBER_BYTES], polled[NUMBER_BYTES], next[NUMBER_BYTES],
        left[NUMBER_BYTES];
    const char *pairs[] = {"cursor",     cursor, "start_from",   start_from,
                           "polled_at",  polled, "next_poll_at", next,
                           "quota_left", left,   "trouble",      state->trouble};

    snprintf(cursor, sizeof(cursor), "%lld", (long long)state->cursor_ms);
    snprintf(start_from, sizeof(start_from), "%lld", (long long)state->start_from_ms);
    snprintf(polled, sizeof(polled), "%lld", (long long)state->polled_at_ms);
    snprintf(next, sizeof(next), "%lld", (long long)state->next_poll_at_ms);
    snprintf(left, sizeof(left), "%lld", (long long)state->quota_left);
    return renew(lease, "renew", pairs, 12, err);
}

void lease_release(struct lease *lease)
{
    struct error ignored = {0};

    if (lease->fence == 0)
        return;
    freeReplyObject(run(lease, "release", lease->fence, NULL, 0, &ignored));
    set_fence(lease, 0);
}

void lease_leave(struct lease *lease)
{
    struct error ignored = {0};

    freeReplyObject(run(lease, "leave", 0, NULL, 0, &ignored));
}
