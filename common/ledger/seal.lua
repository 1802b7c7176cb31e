-- seal: the rebuild is complete; writes the marker and gives the lock back. KEYS: marker, lock.
-- ARGV: token, run id of the server, keep_ms, first (1: nothing was ever delivered; else ''), the last epoch that this
-- process saw.
-- Answer: OK | FENCED (the lock is not ours), writes, epoch
local now = now_ms()
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    local epoch = read_marker()
    if epoch and redis.call('HGET', KEYS[1], 'filled_by') == ARGV[1] then
        return {'OK', '0', epoch} -- the reply was lost
    end
    return {'FENCED', '0', '0'}
end
local ok, old = pcall(redis.call, 'HMGET', KEYS[1], 'was', 'writes')
local was = ok and whole(old[1]) or 0
-- Ahead of every count that a client of an emptied Redis may remember, also one that leapt at a restart (hello): else that
-- client would take the new ledger for one that lost writes.
local writes = decimal(math.max(now * 100, (ok and whole(old[2]) or 0) + 1000000))
-- Later than every epoch that is known of, also where the clock was set back: hello takes an earlier one for an old copy.
local epoch = decimal(math.max(now, was + 1, (whole(ARGV[5]) or 0) + 1))
if ARGV[4] == '1' then
    if redis.call('EXISTS', KEYS[1]) == 1 then
        redis.call('DEL', KEYS[2])
        return {'FENCED', '0', '0'}
    end
    epoch = '1' -- older than every record
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'born_at', epoch, 'run', ARGV[2], 'keep', ARGV[3], 'writes', writes, 'since', decimal(now),
           'filled_by', ARGV[1])
redis.call('DEL', KEYS[2])
return {'OK', writes, epoch}
