-- acquire: the right to work on an entry, or why not.
-- ARGV: kind, modified_at, first_seen, digest, withdrawn, replay, lease_ms, owner, visibility_ms
-- Answer: word, writes, fence, modified_at, doubt, age of the doubt or epoch, wait, flags, reason, then step and result in turn.
-- kind: order; record: a customer or product of a store, whose every version is delivered; or contact, product: one of the
-- account, which orders and records share.
local order, record = ARGV[1] == 'order', ARGV[1] == 'record'
local version, digest = ARGV[2], ARGV[4]
local withdrawn, replay = ARGV[5] == '1', ARGV[6] == '1'
local lease_ms, owner, visibility_ms = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])

local now = now_ms()
local epoch, keep, since, filled_by = read_marker()
if not epoch then
    return {'LOST'}
end

local list = redis.call('HGETALL', KEYS[2])
local entry = {}
for i = 1, #list, 2 do
    entry[list[i]] = list[i + 1]
end
local known = #list > 0
if known and damage(entry) then
    return {err = damage(entry)}
end

local function answer(word, writes, fence, wait, newer)
    local flags = (entry.goals and 1 or 0) + (entry.look_again and 2 or 0) + (newer and 4 or 0)
    -- Of an entry without a doubt it is the age of the epoch: what `goals` speaks of was done before it, and so was what
    -- an entry that is gone knew.
    local age = math.max(0, now - whole(entry.doubt and entry.doubt_at or epoch))
    local reply = {word, writes, fence, entry.modified_at, entry.doubt or '', decimal(age), decimal(wait),
                   decimal(flags), entry.reason or ''}
    for name, value in pairs(entry) do
        if string.sub(name, 1, 2) == 's:' then
            reply[#reply + 1] = string.sub(name, 3)
            reply[#reply + 1] = value
        end
    end
    return reply
end
-- Answers without a grant carry the epoch too: it is asked once more before the commit (rule 6).
local no_fence = epoch .. '-0'
-- Whether nothing can have come after the last write of the entry: it was written in this epoch, or the rebuild that
-- began this epoch filled it in from records that tell it all.
local certain = entry.epoch == epoch or (filled_by and entry.epoch == filled_by)

if known then
    -- A lease of another epoch is void. One that lies far ahead was written before the clock was set back.
    local lease = whole(entry.lease)
    if entry.epoch == epoch and entry.owner ~= owner and lease > now and lease <= now + 10 * lease_ms then
        return answer('BUSY', '0', no_fence, lease - now)
    end
end

-- Final answers; a doubt is asked first (rule 1).
if known and not entry.doubt then
    local mine, theirs = whole(version), whole(entry.modified_at)
    if (order or record) and
       (mine < theirs or (mine == theirs and entry.state == 'withdrawn' and not withdrawn)) then
        return answer('OLD', '0', no_fence, 0)
    elseif entry.state == 'done' and (order or entry.digest == digest) then
        return answer('DONE', '0', no_fence, 0, mine > theirs)
    elseif entry.state == 'dead' and entry.digest == digest and not replay and not withdrawn then
        local writes = '0'
        if mine > theirs then
            writes = count_write()
            entry.modified_at = version
            write_entry({modified_at = version})
        end
        return answer('DEAD', writes, no_fence, 0)
    end
end

-- A grant. What changes is put into entry (for the answer) and set (for Redis) alike.
local set = {}
local function put(name, value)
    entry[name] = value or nil
    set[name] = value
end

if not known then
    -- Nobody ever began it, but for records so old that their entry was kept for its time; and but for those of before
    -- the epoch where a pusher of an older version filled the ledger in: it read the fates alone.
    local horizon = filled_by and 0 or whole(epoch) + 600000
    if now - keep > since then
        horizon = math.max(horizon, now - keep)
    end
    put('state', 'open')
    put('modified_at', version)
    put('digest', digest)
    if order and tonumber(ARGV[3]) < horizon then
        put('absent', '1')
        put('goals', '1')
        put('doubt', 'order')
        put('doubt_at', epoch)
    end
elseif entry.epoch ~= epoch and entry.doubt and whole(entry.doubt_at) < whole(epoch) then
    put('doubt_at', epoch) -- it may have been cleared and begun anew in what was lost
end
if not order and not record and not entry.doubt and entry.epoch ~= epoch and not entry['s:' .. ARGV[1]] and
   now < whole(epoch) + visibility_ms then
    -- It is looked up before it is made, but what was made in the lost moments is not visible yet.
    put('doubt', ARGV[1])
    put('doubt_at', epoch)
elseif known and order and not certain then
    -- What came after the last write is not known (rule 14).
    put('goals', '1')
    if entry.doubt and entry.doubt ~= 'order' and not entry['s:order'] then
        put('ask', '1')
    elseif not entry.doubt and not entry['s:order'] then
        put('doubt', 'order')
        put('doubt_at', epoch)
        put('doubt_fence', false)
    end
end

if known and record and entry.digest ~= digest then
    -- What was done for another version of a record says nothing about this one. A tag stays with its contact.
    for name in pairs(entry) do
        if string.sub(name, 1, 2) == 's:' and string.sub(name, 1, 6) ~= 's:tag:' then
            put(name, false)
        end
    end
end

if known then
    -- A withdrawal that was final stays so while a doubt is looked up (rule 5): only a newer version opens the entry.
    local stays = entry.state == 'withdrawn' and (withdrawn or whole(version) <= whole(entry.modified_at))
    if order and entry.doubt then
        -- The entry stands for the version that was begun until it is known what became of it (see step.lua).
        put('held', version)
        put('held_digest', digest)
    else
        if not (order and entry['s:order']) then
            put('modified_at', version)
            put('digest', digest)
        end
        if entry.held then
            put('held', false)
            put('held_digest', false)
        end
    end
    if entry.state ~= 'open' then
        redis.call('PERSIST', KEYS[2])
        if not stays then
            put('state', 'open')
        end
    end
    for _, name in ipairs({'reason', 'stale'}) do
        if entry[name] and not (name == 'reason' and stays) then
            put(name, false)
        end
    end
end

local writes = count_write()
local fence = epoch .. '-' .. writes
put('fence', fence)
put('lease', decimal(now + lease_ms))
put('owner', owner)
put('epoch', epoch)
write_entry(set)
return answer(entry.doubt and 'RECONCILE' or 'GRANT', writes, fence, 0)
