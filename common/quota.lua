-- quota: may one call be made now? Nothing is counted unless it may. KEYS: second, minute, day, left by the headers
-- (minute), left by the headers (day). ARGV: per_s, per_min, per_day (0: no ceiling)
-- Answer: ms to wait; 0: go, and it is counted.
local per_s, per_min, per_day = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local MINUTE = 60000 + 250 -- the account counts when the call arrives, a little later than we do
local DAY = 86400000

-- Seconds: evenly spaced, so that no spike policy sees a burst.
local wait, spacing = 0, 0
if per_s > 0 then
    spacing = 1010 / per_s
    wait = math.max(wait, (tonumber(redis.call('GET', KEYS[1]) or 0) or 0) - now)
    if wait > 2000 then
        wait = 0 -- the clock was set back
    end
end
-- Minutes: a rolling window, exact: when was the call that is per_min calls ago?
if per_min > 0 then
    local oldest = tonumber(redis.call('LINDEX', KEYS[2], -per_min) or 0) or 0
    if oldest <= now then
        wait = math.max(wait, oldest + MINUTE - now)
    end
end
-- Days: they begin at 00:00 UTC.
local day = math.floor(now / DAY)
local day_key = KEYS[3] .. ':' .. string.format('%.0f', day)
if per_day > 0 and (tonumber(redis.call('GET', day_key) or 0) or 0) >= per_day then
    wait = math.max(wait, (day + 1) * DAY - now)
end
-- What the account itself said is left, for as long as that is news.
for i = 4, 5 do
    local left = tonumber(redis.call('GET', KEYS[i]) or 1) or 1
    if left <= 0 then
        wait = math.max(wait, redis.call('PTTL', KEYS[i]), 1)
    end
end
if wait > 0 then
    return math.ceil(wait)
end

if per_s > 0 then
    redis.call('SET', KEYS[1], string.format('%.0f', now + spacing), 'PX', 5000)
end
if per_min > 0 then
    redis.call('RPUSH', KEYS[2], string.format('%.0f', now))
    redis.call('LTRIM', KEYS[2], -per_min, -1)
    redis.call('PEXPIRE', KEYS[2], MINUTE)
end
if per_day > 0 then
    redis.call('INCR', day_key)
    redis.call('PEXPIRE', day_key, DAY + 3600000)
end
for i = 4, 5 do
    if redis.call('EXISTS', KEYS[i]) == 1 then
        redis.call('DECR', KEYS[i])
    end
end
return 0
