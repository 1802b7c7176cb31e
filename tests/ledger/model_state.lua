-- model_state.lua - the state of the model's world, and what Kafka does in it: partitions with a committed offset and a
-- hand-out mark, fates. Tables that hang from a state are never changed but replaced, so that a clone may share them.
local M = {}

-- Time in ms, one tick each. A create can be looked up LAG after it was made. A create that leaves later than LATE after
-- its begin is the known window of docs/ledger.md.
M.LEASE, M.VISIBLE, M.LAG, M.KEEP = 2, 2, 1, 1000000
M.LATE = M.VISIBLE - M.LAG
M.START, M.SEEN = 100, 50 -- now at first, when the records were seen; the first epoch is 10
M.PAYLOADS, M.RETRY = 1, 2 -- the partitions

function M.copy(table_)
    local new = {}
    for key, value in pairs(table_) do
        new[key] = value
    end
    return new
end
local copy = M.copy

-- The scripts change a database in place.
function M.copy_db(db)
    local new = {}
    for key, value in pairs(db) do
        new[key] = type(value) == 'table' and copy(value) or value
    end
    return new
end

function M.clone(s)
    local new = copy(s)
    new.db = M.copy_db(s.db)
    new.workers = {copy(s.workers[1]), copy(s.workers[2])}
    new.parts = {s.parts[1], s.parts[2]}
    new.budget = copy(s.budget)
    return new
end

function M.first(world, budget)
    local function worker(name)
        return {name = name, life = 0, pc = 'idle', run = 1, seen_run = '1', seen = 0, seen_epoch = 10}
    end
    local records = {}
    for i = 1, #world.records do
        records[i] = {i = i}
    end
    return {now = M.START, run = 1, vouches = 1, budget = copy(budget), goals = 0, creates = {}, fates = {},
            workers = {worker('a'), worker('b')}, known = false, exact = true, locks = 0,
            parts = {{records = records, committed = 0, mark = 0, done = {}},
                     {records = {}, committed = 0, mark = 0, done = {}}},
            db = {marker = {born_at = '10', since = '10', run = '1', keep = tostring(M.KEEP), writes = '100',
                            filled_by = 'first'}}}
end

function M.violation(s, text)
    s.violation = s.violation or text
end

-- Only what still matters is kept in a worker: states that differ in the rest are one.
local IN_HAND = {'part', 'offset', 'record', 'stale', 'known_mark'}
local WORK = {'fence', 'epoch', 'doubt', 'visible_at', 'order', 'goal', 'goals_in_doubt', 'begun_at', 'how', 'fate', 'note',
              'rebuild'}

function M.forget(w)
    for _, list in ipairs({IN_HAND, WORK}) do
        for _, name in ipairs(list) do
            w[name] = nil
        end
    end
    w.pc = 'idle'
end

-- The record stays in hand.
function M.keep(w, pc)
    local epoch, fate, note = w.epoch, w.fate, w.note
    for _, name in ipairs(WORK) do
        w[name] = nil
    end
    w.pc = pc
    if pc == 'publish' or pc == 'epoch' then
        w.epoch, w.fate, w.note = epoch, fate, note
    elseif pc == 'requeue' then
        w.note = note
    end
end

-- Kafka

local function change(s, p, values)
    local part = copy(s.parts[p])
    for name, value in pairs(values) do
        part[name] = value
    end
    s.parts[p] = part
    return part
end

-- Whether a worker can be handed this record: it is uncommitted, and no worker of the group's generation has it.
function M.is_free(s, p, offset)
    if s.parts[p].done[offset] then
        return false
    end
    for _, w in ipairs(s.workers) do
        if w.part == p and w.offset == offset and not w.stale then
            return false
        end
    end
    return true
end

-- The stage moves the mark; Kafka refuses what an older generation sends. Where no mark is known it begins at the end.
function M.move_mark(world, s, w)
    local part = s.parts[w.part]
    if not w.stale then
        change(s, w.part, {mark = part.mark and math.max(part.mark, w.offset) or #part.records})
    elseif world.off.generation then
        change(s, w.part, {mark = w.offset})
    end
end

function M.commit(world, s, w)
    local part = s.parts[w.part]
    if w.stale and not world.off.generation then
        return
    end
    local done, committed = copy(part.done), part.committed
    done[w.offset] = true
    while done[committed + 1] do
        committed = committed + 1
        done[committed] = nil
    end
    local mark = part.mark
    if w.stale then
        mark = w.known_mark
    elseif world.off.mark_first then
        mark = math.max(mark, w.offset)
    end
    change(s, w.part, {done = done, committed = committed, mark = mark})
end

-- What was done and not committed is handed out once more.
function M.redeliver(s, p)
    if next(s.parts[p].done) then
        change(s, p, {done = {}})
    end
end

-- The partition goes to another member of the group: whoever has a record of it goes on, and may commit nothing.
function M.reassign(s, p)
    for _, w in ipairs(s.workers) do
        if w.part == p then
            w.stale = true
        end
    end
    M.redeliver(s, p)
end

-- Somebody resets the group to the beginning: offset and mark are gone.
function M.reset_group(s, p)
    M.reassign(s, p)
    change(s, p, {committed = 0, mark = false, done = {}})
end

-- A retry topic gets the record once more, with what the ledger said of its order. `clean` is the truth that the note has
-- to tell: nothing is in doubt.
function M.requeue(world, s, w)
    local records = copy(s.parts[M.RETRY].records)
    records[#records + 1] = {i = w.record, note = not world.off.note and w.note or nil,
                             clean = not w.note.fields.doubt and not w.note.fields.goals}
    change(s, M.RETRY, {records = records})
end

function M.publish(world, s, w)
    local version, fate = world.records[w.record].version, s.fates[w.fate]
    if not fate or version >= fate.version then
        local fates = copy(s.fates)
        fates[w.fate] = {version = version, note = w.note}
        s.fates = fates
    end
end

return M
