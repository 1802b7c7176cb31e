-- model_key.lua - when two states of the model are one: their key.
local world = require('model_world')
local VISIBLE, LAG, LATE = world.VISIBLE, world.LAG, world.LATE

-- States that differ only in names (of fences, epochs, tokens, workers), in the values of counters or in times long past
-- are one state.
local ENTRY = {'state', 'modified_at', 'digest', 'doubt', 'ask', 'held', 'held_digest', 'absent', 'goals', 'look_again',
               'reason', 'stale', 's:order', 's:goal'}
local WORKER = {'pc', 'record', 'doubt', 'order', 'goal', 'goals_in_doubt', 'how', 'fate', 'run', 'seen_run'}
local KNOWN = {lease = true, fence = true, epoch = true, doubt_at = true, doubt_fence = true, owner = true}
for _, name in ipairs(ENTRY) do
    KNOWN[name] = true
end

local parts, size, names, count, now

local function add(value)
    size = size + 1
    parts[size] = value or '-'
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

-- How much of what was acknowledged is missing: more than 2 is as good as 2, else copies of Redis would never look alike.
local function behind(seen, writes)
    return math.max(0, math.min(2, seen - tonumber(writes)))
end

local function add_db(db, s, first, second)
    local marker, entry = db.marker, db.entry
    if marker then
        rename(marker.born_at)
        add(marker.run)
        rename(marker.sealed_by)
        for run = 1, s.run do
            local ended = marker['end:' .. run]
            add(ended and behind(first.seen, ended) * 100 + behind(second.seen, ended) or nil)
        end
        if marker.born_at then
            add((first.seen_epoch > tonumber(marker.born_at) and 1 or first.seen_epoch == tonumber(marker.born_at) and 2 or 3) * 10 +
                (second.seen_epoch > tonumber(marker.born_at) and 1 or second.seen_epoch == tonumber(marker.born_at) and 2 or 3))
        end
        if marker.writes then
            add(behind(first.seen, marker.writes) * 100 + behind(second.seen, marker.writes))
        end
    end
    add(';')
    if entry then
        for name in pairs(entry) do
            assert(KNOWN[name], 'the model does not know the field')
        end
        for _, name in ipairs(ENTRY) do
            add(entry[name])
        end
        rename(entry.epoch)
        rename(entry.fence)
        rename(entry.doubt_fence)
        add(entry.owner == first.name .. first.life and 1 or entry.owner == second.name .. second.life and 2 or 0)
        add(entry.lease == '0' and 'free' or math.max(0, entry.lease - now))
        add(entry.doubt_at and math.min(VISIBLE, now - entry.doubt_at))
    end
    add(';')
    if db.lock and db.lock_until > now then
        rename(db.lock)
        add(db.lock_until - now)
    end
    add(';')
end

local function key_of(s)
    local first, second = s.workers[1], s.workers[2]
    if first.pc > second.pc or (first.pc == second.pc and (first.record or 0) > (second.record or 0)) then
        first, second = second, first -- which of them is which does not matter
    end
    parts, size, names, count, now = {}, 0, {}, 0, s.now
    add_db(s.db, s, first, second)
    add(s.run * 2 + s.vouches)
    for i = 1, 2 do
        local w = i == 1 and first or second
        for _, name in ipairs(WORKER) do
            add(w[name])
        end
        rename(w.fence)
        rename(w.epoch)
        rename(w.token)
        add(w.visible_at and math.max(0, w.visible_at - now))
        add(w.begun_at and math.min(LATE + 1, now - w.begun_at))
    end
    for _, create in ipairs(s.creates) do
        add(math.min(LAG, now - create.at))
        add(create.late and 'L')
    end
    add(';')
    add(s.goals)
    add(s.fates.delivered)
    add(s.fates.skipped)
    add(s.fates.dead)
    add(s.answered)
    for i = 1, 3 do
        add(s.committed[i] and 1 or 0)
    end
    local budget = s.budget
    add(budget.crashes * 1000 + budget.answers * 100 + budget.http * 10 + budget.losses)
    add(budget.copies)
    if s.snapshot then
        add_db(s.snapshot, s, first, second)
    end
    return table.concat(parts, ',')
end

return {of = key_of}
