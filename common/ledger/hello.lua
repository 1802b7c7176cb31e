-- hello: first on every connection, and whenever the epoch is asked for. Is there a ledger, and is it still the one that was written?
-- ARGV: run id of the server, vouches (1: a restart of it loses nothing), run id and write counter that this process saw
-- acknowledged last ('' and 0: none), keep_ms, the epoch in which it saw that
-- Answer: OK | LOST, writes, epoch
local run, vouches, seen_run, seen, keep = ARGV[1], ARGV[2] == '1', ARGV[3], tonumber(ARGV[4]), ARGV[5]
local seen_epoch = whole(ARGV[6]) or 0

-- A master that was demoted keeps its connections, and what it has must not be taken for the truth: this changes nothing, but
-- is a write, which a replica refuses (READONLY).
redis.call('PERSIST', KEYS[1])

local epoch, kept = read_marker()
if not epoch then
    return {'LOST', '0', '0'}
end

local marker = redis.call('HMGET', KEYS[1], 'run', 'writes', 'end:' .. seen_run)
local writes = whole(marker[2])
-- Where the run that this process wrote to is over, its last write is compared with what its successor started from.
local reached = seen_run == marker[1] and writes or whole(marker[3])
-- A ledger of a later epoch was filled in since. One of an earlier epoch, one that never heard of the run, and one that is
-- behind are copies of before what this process saw.
local older = seen_epoch > whole(epoch) or (seen_epoch == whole(epoch) and (not reached or reached < seen))
local restarted = run ~= marker[1]
if (restarted and not vouches) or (seen_run ~= '' and older) then
    -- What was acknowledged may be gone: the marker goes too, so that fates are filled in before anybody is granted
    -- anything. `was` keeps the next epoch from being this one.
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'was', epoch, 'writes', decimal(writes + 1000000))
    return {'LOST', '0', '0'}
end
if restarted then
    -- The counter leaps, so that no fence of this run can equal one that the last run gave and lost.
    redis.call('HSET', KEYS[1], 'run', run, 'end:' .. (marker[1] or ''), decimal(writes))
    writes = redis.call('HINCRBY', KEYS[1], 'writes', 1000000)
end
if tonumber(keep) < kept then
    redis.call('HSET', KEYS[1], 'keep', keep) -- the shortest time that ever applied: entries may have expired by it
end
return {'OK', decimal(writes), epoch}
