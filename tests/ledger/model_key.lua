-- model_key.lua - when two states of the model are one: their key.
local state = require('model_state')
local VISIBLE, LAG, LATE = state.VISIBLE, state.LAG, state.LATE

-- States that differ only in names (of fences, epochs, tokens, workers), in the values of counters or in times long past
-- are one state.
local ENTRY = {'state', 'modified_at', 'digest', 'doubt', 'ask', 'held', 'held_digest', 'absent', 'goals', 'look_again',
               'reason', 'stale', 's:order', 's:goal'}
local WORKER = {'pc', 'record', 'part', 'offset', 'stale', 'known_mark', 'doubt', 'order', 'goal', 'goals_in_doubt', 'how',
                'fate', 'run', 'seen_run'}
local KNOWN = {lease = true, fence = true, epoch = true, doubt_at = true, doubt_fence = true, owner = true}
for _, name in ipairs(ENTRY) do
    KNOWN[name] = true
end

local parts, size, names, count, now

local function add(value)
    size = size + 1
    parts[size] = value == true and '+' or value or '-'
end

local function rename(value)
    if not value then
        return add('-')
    end
    if not names[value] then
        count = count + 1
        names[value] = count
    end
    add(names[value])
end

-- An entry that was filled in has the token of a lock for its epoch, or '0-' and that.
local function add_epoch(epoch)
    local token = epoch and string.match(epoch, '^0%-(.+)')
    if token then
        add('unsure')
    end
    rename(token or epoch)
end

-- How much of what was acknowledged is missing: more than 2 is as good as 2, else copies of Redis would never look alike.
local function behind(seen, writes)
    return math.max(0, math.min(2, seen - tonumber(writes)))
end

local function compare(seen_epoch, born_at)
    return seen_epoch > born_at and 1 or seen_epoch == born_at and 2 or 3
end

local function add_marker(marker, s, first, second)
    rename(marker.born_at)
    add(marker.run)
    rename(marker.filled_by)
    for run = 1, s.run do
        local ended = marker['end:' .. run]
        add(ended and behind(first.seen, ended) * 100 + behind(second.seen, ended) or nil)
    end
    if marker.born_at then
        local born_at = tonumber(marker.born_at)
        add(compare(first.seen_epoch, born_at) * 10 + compare(second.seen_epoch, born_at))
    end
    if marker.writes then
        add(behind(first.seen, marker.writes) * 100 + behind(second.seen, marker.writes))
    end
end

local function add_entry(entry, first, second)
    for name in pairs(entry) do
        assert(KNOWN[name], 'the model does not know the field')
    end
    for _, name in ipairs(ENTRY) do
        add(entry[name])
    end
    add_epoch(entry.epoch)
    rename(entry.fence)
    rename(entry.doubt_fence)
    add(entry.owner == first.name .. first.life and 1 or entry.owner == second.name .. second.life and 2 or 0)
    add(entry.lease == '0' and 'free' or math.max(0, entry.lease - now))
    add(entry.doubt_at and math.min(VISIBLE, now - entry.doubt_at))
end

local function add_db(db, s, first, second)
    if db.marker then
        add_marker(db.marker, s, first, second)
    end
    add(';')
    if db.entry then
        add_entry(db.entry, first, second)
    end
    add(';')
    if db.lock and db.lock_until > now then
        rename(db.lock)
        add(db.lock_until - now)
    end
    add(';')
end

local function add_fates(fates)
    for _, name in ipairs({'delivered', 'skipped', 'dead'}) do
        local fate = fates[name]
        add(fate and fate.version)
        add(fate and fate.note and fate.note.text)
    end
end

local function add_worker(w)
    for _, name in ipairs(WORKER) do
        add(w[name])
    end
    rename(w.fence)
    rename(w.epoch)
    rename(w.token)
    add(w.visible_at and math.max(0, w.visible_at - now))
    add(w.begun_at and math.min(LATE + 1, now - w.begun_at))
    add(w.note and w.note.text)
    local rebuild = w.rebuild
    if rebuild then
        add(rebuild.exact)
        for p = 1, 2 do
            add(rebuild.committed and rebuild.committed[p])
            add(rebuild.committed and rebuild.mark[p])
            add(rebuild.ends and rebuild.ends[p])
        end
        if rebuild.fates then
            add_fates(rebuild.fates)
        end
    end
    add(';')
end

local function add_parts(s)
    for p = 1, 2 do
        local part = s.parts[p]
        add(part.committed)
        add(part.mark)
        for offset = part.committed + 1, #part.records do
            add(part.done[offset])
            add(part.records[offset].i)
            add(part.records[offset].note and part.records[offset].note.text)
            add(part.records[offset].clean)
        end
        add(';')
    end
end

local function key_of(s)
    local first, second = s.workers[1], s.workers[2]
    if first.pc > second.pc or (first.pc == second.pc and (first.record or 0) > (second.record or 0)) then
        first, second = second, first -- which of them is which does not matter
    end
    parts, size, names, count, now = {}, 0, {}, 0, s.now
    add_db(s.db, s, first, second)
    add(s.run * 2 + s.vouches)
    add_worker(first)
    add_worker(second)
    for _, create in ipairs(s.creates) do
        add(math.min(LAG, now - create.at))
        add(create.late and 'L')
    end
    add(';')
    add(s.goals)
    add_fates(s.fates)
    add(s.answered)
    add(s.exact)
    add(s.hurt)
    add_parts(s)
    local budget = s.budget
    add(budget.crashes * 1000 + budget.answers * 100 + budget.http * 10 + budget.losses)
    add(budget.copies * 1000 + budget.waits * 100 + budget.moves * 10 + budget.resets)
    if s.snapshot then
        add_db(s.snapshot, s, first, second)
    end
    return table.concat(parts, ',')
end

return {of = key_of}
