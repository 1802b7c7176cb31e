-- lock: the right to rebuild. KEYS: marker, lock. ARGV: token, ttl_ms, renew (1: only if it is still ours; 2: give it back)
-- Answer: 1 ours, 0 not: somebody else's, lost since, or the ledger is not lost at all.
if read_marker() then
    return {'0'}
end
local holder = redis.call('GET', KEYS[2])
if ARGV[3] == '2' then
    if holder == ARGV[1] then
        redis.call('DEL', KEYS[2])
    end
    return {'0'}
elseif holder == ARGV[1] then
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    return {'1'}
elseif not holder and ARGV[3] == '0' then
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
    return {'1'}
end
return {'0'}
