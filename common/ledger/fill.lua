-- fill: what a record of `delivered`, `dead` or `skipped` says about an order, put in under the rebuild lock.
-- KEYS: marker, entry, lock. ARGV: token, state, modified_at, digest, reason, keep_ms, then step and result in turn
-- Answer: FILLED | KEPT (the entry knows better) | FENCED (the lock is not ours)
if redis.call('GET', KEYS[3]) ~= ARGV[1] then
    return {'FENCED'}
end
local state = ARGV[2]
local names = {'state', 'modified_at', 'lease', 'doubt', 'doubt_at', 'held', 's:order'}
local values = redis.call('HMGET', KEYS[2], unpack(names))
local entry = {}
for i = 1, #names do
    entry[names[i]] = values[i] or nil
end
if next(entry) then
    if damage(entry) then
        return {err = damage(entry)}
    end
    local mine, theirs = tonumber(ARGV[3]), whole(entry.modified_at)
    if entry.state == 'done' then
        return {'KEPT'}
    elseif state ~= 'done' and (entry['s:order'] or theirs > mine or (theirs == mine and entry.state ~= 'open')) then
        return {'KEPT'}
    end
end

-- Epoch 0 is none: an entry that is not done is asked for before anything is made (rule 3).
local set = {state = state, modified_at = ARGV[3], digest = ARGV[4], lease = '0', fence = '0-0', owner = '', epoch = '0',
             reason = state == 'dead' and ARGV[5], held = false, held_digest = false, stale = false}
if state == 'done' then
    for _, name in ipairs({'doubt', 'doubt_at', 'doubt_fence', 'ask', 'absent', 'goals'}) do
        set[name] = false
    end
end -- else a doubt outlives this too; once it is cleared, the version that was filled in decides who is OLD
for i = 7, #ARGV, 2 do
    set['s:' .. ARGV[i]] = ARGV[i + 1]
end
write_entry(set)
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return {'FILLED'}
