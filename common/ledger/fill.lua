-- fill: what a record says about an order, put in under the rebuild lock. Records of one order may come in any order.
-- KEYS: marker, entry, lock. ARGV: token, state (open|done|dead|withdrawn), modified_at, digest, reason, keep_ms,
-- how (exact: nobody had the record in hands since its note was written | careful: somebody may have had | '': a fate without
-- a note), how many fields its note has, these fields, then the steps; name and value in turn
-- Answer: FILLED | KEPT (it is done) | FENCED (the lock is not ours)
if redis.call('GET', KEYS[3]) ~= ARGV[1] then
    return {'FENCED'}
end
local state, version, digest, reason, how = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local note, steps = {}, {}
for i = 9, #ARGV, 2 do
    local part = (i - 9) / 2 < tonumber(ARGV[8]) and note or steps
    part[ARGV[i]] = ARGV[i + 1]
end

local list = redis.call('HGETALL', KEYS[2])
local entry = {}
for i = 1, #list, 2 do
    entry[list[i]] = list[i + 1]
end
if #list > 0 and damage(entry) then
    return {err = damage(entry)}
elseif entry.state == 'done' then
    return {'KEPT'}
end
local set = {lease = '0', fence = '0-0', owner = '', held = false, held_digest = false, stale = false, doubt_fence = false}
local function put(name, value)
    entry[name] = value or nil
    set[name] = value
end
local function drop(names)
    for _, name in ipairs(names) do
        put(name, false)
    end
end

-- An entry whose epoch is the token of the lock is known as well as one that was written in the new epoch (acquire.lua).
-- Who opens another one again looks it up.
local sure, unsure = ARGV[1], '0-' .. ARGV[1]
local filled = entry.epoch == sure or entry.epoch == unsure
put('epoch', (how == '' or entry.epoch == unsure) and unsure or sure)

-- The version that the entry stands for: of the record that knows the order, else the newest.
if state == 'open' and note.modified_at and
   (how == 'exact' or steps.order or whole(note.modified_at) > whole(version)) then
    state, version, digest, reason = how == 'exact' and note.state or state, note.modified_at, note.digest, note.reason
end
local RANK = {open = 1, dead = 2, withdrawn = 3, done = 4}
local newer = not entry.state or whole(version) > whole(entry.modified_at) or
              (version == entry.modified_at and RANK[state] >= RANK[entry.state])
if entry['s:order'] and not steps.order then
    newer = false
elseif steps.order and not entry['s:order'] then
    newer = true
end
if newer or state == 'done' then
    put('state', state)
    put('modified_at', version)
    put('digest', digest)
    put('reason', state == 'dead' and reason or false)
end

if how == 'exact' and not filled then
    drop({'doubt', 'ask', 'absent', 'goals', 'look_again'}) -- the entry survived; the record knows at least as much
end
for name, result in pairs(steps) do
    put('s:' .. name, result)
end
if entry['s:order'] and state ~= 'done' then
    put('state', 'open') -- it was made, so it is delivered, whatever was published in that moment
    put('reason', false)
end

for _, name in ipairs({'absent', 'goals', 'look_again'}) do
    if note[name] then
        put(name, '1')
    end
end
if how == 'careful' then
    put('goals', '1')
end
-- Doubts are united, but for those whose step has its result. The order comes first; what else there is are goals, and
-- `goals` speaks for all of them.
local doubt
for _, step in ipairs({how == 'careful' and 'order' or '', (entry.ask or note.ask) and 'order' or '', entry.doubt or '',
                       note.doubt or ''}) do
    if step ~= '' and not entry['s:' .. step] and step ~= doubt then
        if doubt then
            put('goals', '1')
        end
        doubt = (doubt == 'order' or step == 'order') and 'order' or step
    end
end
put('doubt', doubt or false)
put('doubt_at', doubt and '0' or false) -- it counts from the epoch that begins (acquire.lua)
put('ask', false)

if state == 'done' then
    drop({'doubt', 'doubt_at', 'absent', 'goals'})
end
write_entry(set)
if entry.state == 'open' then
    redis.call('PERSIST', KEYS[2])
else
    redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
return {'FILLED'}
