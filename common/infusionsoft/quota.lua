-- quota: the governor of one credential, for all pushers (quota.h says what it is for).
-- Calls are kept in a sorted set. The score of a call that has ended is the time at which it ended; the score of a call
-- that is under way is the latest time at which it can end. A call reaches the account before that time, so every call
-- that the account still counts in its rolling windows is counted here too, however late it arrived there.
-- KEYS: calls; when the next call may start by the limit of the second, and by that of the minute; pause; calls of the
-- day; what is left of the day; what the account says about the minute; whether the warning of the day was given; the reserve of a lane that waits
-- ARGV: take, id, per_s, per_min, per_day (0: no limit), reserve in percent, ms that a call may take
--   answer: ms to wait (0: the call may be made, and is counted), 1 where the day's quota is used up, 2 where this lane's is
-- ARGV: done, id, limit and available of the minute, limit and available of the day (-1: not said), ms to pause, per_day
--   answer: what is left of the day where a warning is due, else -1; what is left of the day, and its limit (-1: not known)
local SECOND, MINUTE, DAY = 1000 + 2, 60000 + 20, 86400000
local MINUTE_NEWS, DAY_NEWS = 10000, 60000 -- how long what the account said is used
local WANTED = 5000 -- whoever waits asks again within this time

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local tomorrow = (math.floor(now / DAY) + 1) * DAY -- days begin at 00:00 UTC
local day_key = KEYS[5] .. ':' .. string.format('%.0f', tomorrow / DAY)

local function number(value)
    return tonumber(value or 0) or 0
end

local function text(value)
    return string.format('%.3f', value)
end

-- How long until fewer than limit calls are in the last span. A call that is under way is assumed to end now.
local function wait_for_room(limit, span)
    if limit < 1 then
        return 1000
    end
    local last = redis.call('ZREVRANGE', KEYS[1], limit - 1, limit - 1, 'WITHSCORES')[2]
    return last and math.min(tonumber(last), now) + span - now or 0
end

if ARGV[1] == 'done' then
    local limit, available = tonumber(ARGV[3]), tonumber(ARGV[4])
    local day_limit, day_left, pause = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
    local per_day = tonumber(ARGV[8])
    redis.call('ZADD', KEYS[1], 'XX', text(now), ARGV[2])
    if limit > 0 and available >= 0 then
        local ours = redis.call('ZCOUNT', KEYS[1], text(now - MINUTE), '+inf')
        redis.call('HSET', KEYS[7], 'limit', limit, 'others', math.max(0, limit - available - ours))
        redis.call('PEXPIRE', KEYS[7], MINUTE_NEWS)
    end
    if day_left >= 0 then
        local known = redis.call('GET', KEYS[6])
        if not known or number(known) > day_left then
            redis.call('SET', KEYS[6], day_left, 'PX', DAY_NEWS)
        end
    end
    if pause > redis.call('PTTL', KEYS[4]) and pause > 0 then
        redis.call('SET', KEYS[4], '1', 'PX', pause)
    end
    if per_day > 0 and (day_left < 0 or per_day - number(redis.call('GET', day_key)) < day_left) then
        day_limit, day_left = per_day, math.max(0, per_day - number(redis.call('GET', day_key)))
    end
    if day_limit > 0 and day_left >= 0 and day_left <= day_limit / 10 and
       redis.call('SET', KEYS[8], '1', 'NX', 'PX', math.ceil(tomorrow - now)) then
        return {day_left, day_left, day_limit}
    end
    return {-1, day_left, day_limit}
end

local per_s, per_min, per_day = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local reserve = tonumber(ARGV[6])
local function share(limit) -- the part of a limit that this lane may use
    return limit - math.floor(limit * reserve / 100)
end

local left = redis.call('GET', KEYS[6])
local used = number(redis.call('GET', day_key))
if per_day > 0 and used >= per_day then
    return {math.ceil(tomorrow - now), 1}
elseif left and number(left) <= 0 then
    return {math.max(1, redis.call('PTTL', KEYS[6])), 1}
elseif per_day > 0 and (used >= share(per_day) or (left and number(left) <= per_day - share(per_day))) and reserve > 0 then
    return {math.ceil(tomorrow - now), 2}
end

-- A lane before this one waits for its call: whatever room there is, is for that call.
local wanted = redis.call('GET', KEYS[9])
if wanted and number(wanted) < reserve then
    return {math.max(1, redis.call('PTTL', KEYS[9])), 0}
end

local wait = math.max(0, redis.call('PTTL', KEYS[4]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - MINUTE))

-- Calls are spaced evenly: this computes when the next one may be made. Who comes late may catch up on catch_up ms.
-- A lane with a reserve keeps to a wider spacing of its own. It calls only while all that could be caught up on is left, so
-- that an order that comes next need not wait for its slot.
local slots = {}
local function space(key, spacing, catch_up, own)
    local slot = number(redis.call('GET', key))
    if slot > now + 2 * spacing + 1000 then
        slot = now -- the clock was set back
    end
    wait = math.max(wait, slot + (reserve > 0 and catch_up + own - spacing or 0) - now)
    slots[key] = math.max(slot, now - catch_up) + spacing
end

local word = redis.call('HMGET', KEYS[7], 'limit', 'others')
if word[1] and (per_min == 0 or number(word[1]) < per_min) then
    per_min = number(word[1])
end
if per_s > 0 then -- evenly within the second, so that the account sees no burst
    space(KEYS[2], 1000 / per_s, 2000 / per_s, 1000 / share(per_s))
    wait = math.max(wait, wait_for_room(share(per_s), SECOND))
end
if per_min > 0 then -- evenly within the minute: else a burst would be followed by a long wait
    local room = share(per_min) - number(word[2])
    space(KEYS[3], 60000 / math.max(1, per_min - number(word[2])), 5000, 60000 / math.max(1, room))
    wait = math.max(wait, wait_for_room(room, MINUTE))
end
if wait > 0 then
    if not wanted or number(wanted) >= reserve then
        redis.call('SET', KEYS[9], reserve, 'PX', math.ceil(math.min(wait, WANTED)) + 100)
    end
    return {math.ceil(wait), 0}
end

local call_ms = tonumber(ARGV[7])
redis.call('ZADD', KEYS[1], text(now + call_ms), ARGV[2])
redis.call('PEXPIRE', KEYS[1], MINUTE + call_ms)
for key, slot in pairs(slots) do
    redis.call('SET', key, text(slot), 'PX', math.ceil(slot - now) + 10000)
end
redis.call('INCR', day_key)
redis.call('PEXPIRE', day_key, DAY + 3600000)
if left then
    redis.call('DECR', KEYS[6])
end
return {0, 0}
