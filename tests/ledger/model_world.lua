-- model_world.lua - every step that can come next: of two workers, of Redis and of Kafka. Each move is one script, one HTTP
-- call, one write to Kafka or one read of it, so everything between two of them is an interleaving.
local state = require('model_state')
local worker = require('model_worker')
local rebuild = require('model_rebuild')
local M = {}

local steps, clone, forget, keep = worker.steps, state.clone, state.forget, state.keep
local TAKES = {acquire = true, begin_order = true, begin_goal = true, look = true} -- where the account may be found closed
local READS = {look = true, look_again = true, marks = true, ends = true} -- whose answer matters to nobody else

local function adder(s, list)
    return function(label, change)
        local new = clone(s)
        if change(new) ~= false then
            list[#list + 1] = {label, new}
        end
    end
end

-- A worker without a record: is handed one, after the mark is moved, or rebuilds.
local function idle_moves(world, s, index, move)
    local name = s.workers[index].name
    for p = 1, 2 do
        local part = s.parts[p]
        for offset = part.committed + 1, #part.records do
            local free = state.is_free(s, p, offset)
            local label = (p == 1 and '' or 'retry ') .. offset
            if free and (world.off.mark_first or (part.mark and offset <= part.mark)) then
                move(name .. ' takes ' .. label, function(new)
                    local w = new.workers[index]
                    w.part, w.offset, w.record, w.pc = p, offset, part.records[offset].i, 'acquire'
                    w.known_mark = world.off.generation and part.mark or nil
                    steps.acquire(world, new, w)()
                end)
            elseif free then
                move(name .. ' moves the mark to ' .. label, function(new)
                    local w = new.workers[index]
                    w.part, w.offset, w.pc = p, offset, 'mark'
                    if new.budget.moves == 0 then -- nothing can come between this and Kafka's answer
                        state.move_mark(world, new, w)
                        forget(w)
                    end
                end)
            end
        end
    end
    if not (s.db.marker and s.db.marker.born_at) then
        move(name .. ' looks after the ledger', function(new)
            local w = new.workers[index]
            w.pc = 'lock'
            steps.lock(world, new, w)()
        end)
    end
end

local function post_moves(world, s, index, move)
    local name = s.workers[index].name
    local refused = world.records[s.workers[index].record].refused
    move(name .. ' post', function(new)
        local w = new.workers[index]
        if refused then
            w.pc, w.begun_at = 'end_refused', nil
        else
            worker.post(world, new, w)
            w.order, w.pc, w.begun_at = 'id' .. #new.creates, 'end_order', nil
        end
    end)
    if s.budget.http > 0 and not refused then
        for _, effect in ipairs({true, false}) do
            move(name .. ' post, answer lost', function(new)
                local w = new.workers[index]
                new.budget.http = new.budget.http - 1
                if effect then
                    worker.post(world, new, w)
                end
                w.pc, w.begun_at = 'retry', nil
            end)
        end
    end
end

-- What a worker writes to Kafka.
local writes = {}

function writes.mark(world, new, w)
    state.move_mark(world, new, w)
    forget(w)
end

function writes.requeue(world, new, w)
    state.requeue(world, new, w)
    keep(w, 'commit')
end

function writes.publish(world, new, w)
    state.publish(world, new, w)
    keep(w, w.fate == 'delivered' and 'commit' or 'epoch')
end

function writes.epoch(world, new, w)
    local same = new.db.marker and new.db.marker.born_at == w.epoch and w.run == new.run
    if (same or world.off.epoch) and w.fate == 'skipped' then
        -- Final from here on. Published alone is not: Redis may have been lost since the finish.
        new.answered = world.records[w.record].version
        for _, create in ipairs(new.creates) do
            if create.version <= new.answered and create.late then
                new.known = true
            elseif create.version <= new.answered then
                state.violation(new, 'the withdrawal was answered, and the order was made')
            end
        end
    end
    keep(w, (same or world.off.epoch) and 'commit' or 'acquire')
end

function writes.commit(world, new, w)
    state.commit(world, new, w)
    forget(w)
end

-- Every move of one worker: list of {label, state}.
function M.worker_moves(world, s, index, list)
    local move = adder(s, list)
    local w = s.workers[index]
    local pc, name = w.pc, w.name
    if pc == 'idle' then
        idle_moves(world, s, index, move)
        return -- it has nothing to lose
    end
    if steps[pc] then
        for _, backwards in ipairs({false, pc == 'fill' and #rebuild.contents(world, s, w.rebuild) > 1 or nil}) do
            move(name .. ' ' .. pc .. (backwards and ' backwards' or ''), function(new)
                local after = steps[pc](world, new, new.workers[index], backwards)
                if not after then
                    return false
                end
                after()
            end)
        end
        if s.budget.answers > 0 and not READS[pc] then
            move(name .. ' ' .. pc .. ', answer lost', function(new)
                new.budget.answers = new.budget.answers - 1
                steps[pc](world, new, new.workers[index])
            end)
        end
        if s.budget.waits > 0 and TAKES[pc] and pc ~= 'acquire' then
            move(name .. ' finds the account closed', function(new)
                new.budget.waits = new.budget.waits - 1
                new.workers[index].pc = 'retry'
            end)
        end
    elseif pc == 'post' then
        post_moves(world, s, index, move)
    elseif pc == 'post_goal' then
        move(name .. ' goal', function(new)
            worker.post_goal(new)
            new.workers[index].goal, new.workers[index].pc = 'sent', 'finish'
        end)
    else
        move(name .. ' ' .. pc .. ' ' .. (w.fate or ''), function(new)
            writes[pc](world, new, new.workers[index])
        end)
    end
    if s.budget.crashes > 0 then
        move(name .. ' crashes', function(new)
            local dead = new.workers[index]
            new.budget.crashes = new.budget.crashes - 1
            forget(dead)
            state.redeliver(new, 1)
            state.redeliver(new, 2)
            dead.life, dead.run, dead.seen_run, dead.seen, dead.seen_epoch = dead.life + 1, 0, '', 0, 0
            dead.token = nil
        end)
    end
end

-- An old copy comes back in a server that vouches, after a restart or an emptied Redis. Only who saw what was acknowledged
-- since can tell, so there is one process here and it does not crash (docs/ledger.md, what it asks of Redis).
local function vouching_moves(world, s, move)
    local function change(label, db, budget)
        move(label, function(new)
            new.db, new.run, new.vouches = db and state.copy_db(db) or new.db, s.run + 1, 1
            new.exact = nil
            new.budget.losses = s.budget.losses - 1
            new.budget.copies, new.snapshot = budget, budget > 0 and new.snapshot or nil
        end)
    end
    if not s.snapshot and #s.creates == 0 then -- of before what is to be made once
        move('Redis is copied', function(new)
            new.snapshot = state.copy_db(s.db)
        end)
    end
    if not s.snapshot then
        return
    elseif s.budget.losses > 1 then
        if world.one_process == 'restart' then
            change('Redis restarts', nil, 1)
        else
            change('an empty Redis', {}, 1)
        end
    else
        change('an old copy of Redis that vouches', s.snapshot, 0)
    end
end

local function losses(world, s, move)
    local function lose(label, change)
        move(label, function(new)
            new.budget.losses, new.snapshot, new.exact = new.budget.losses - 1, nil, nil
            change(new)
        end)
    end
    if s.snapshot then
        lose('an old copy of Redis', function(new)
            new.db, new.run, new.vouches = state.copy_db(s.snapshot), s.run + 1, 0
        end)
        return
    end
    lose('FLUSHALL', function(new)
        new.db = {}
    end)
    if not world.few_losses then
        lose('an empty Redis', function(new)
            new.db, new.run, new.vouches = {}, s.run + 1, 0
        end)
        lose('Redis restarts', function(new)
            new.run, new.vouches = s.run + 1, 1
        end)
    end
    if s.budget.copies > 0 then
        move('Redis is copied', function(new)
            new.budget.copies = new.budget.copies - 1
            new.snapshot = state.copy_db(s.db)
        end)
    end
end

-- What the world does by itself.
function M.world_moves(world, s, list)
    local move = adder(s, list)
    move('time passes', function(new)
        new.now = new.now + 1
    end)
    if s.budget.moves > 0 then
        for p = 1, 2 do
            if (s.workers[1].part == p and not s.workers[1].stale) or (s.workers[2].part == p and not s.workers[2].stale) then
                move((p == 1 and 'payloads' or 'retry') .. ' are reassigned', function(new)
                    new.budget.moves = new.budget.moves - 1
                    state.reassign(new, p)
                end)
            end
        end
    end
    if s.budget.resets > 0 then
        move('the group is reset', function(new)
            new.budget.resets = new.budget.resets - 1
            state.reset_group(new, 1)
        end)
    end
    if s.budget.losses > 0 and world.one_process then
        vouching_moves(world, s, move)
    elseif s.budget.losses > 0 then
        losses(world, s, move)
    end
end

function M.finished(s)
    for p = 1, 2 do
        if s.parts[p].committed < #s.parts[p].records then
            return false
        end
    end
    return s.workers[1].pc == 'idle' and s.workers[2].pc == 'idle'
end

-- Whether nothing happened that may cost a goal.
local function is_quiet(world, s)
    for _, name in ipairs({'crashes', 'answers', 'http', 'moves', 'resets'}) do
        if s.budget[name] ~= world.budget[name] then
            return false
        end
    end
    return not s.hurt
end

-- All is committed: is what was answered right?
function M.judge(world, s)
    local made, fates, newest = #s.creates, s.fates, world.newest_is
    local skipped, dead = fates.skipped and fates.skipped.version, fates.dead and fates.dead.version
    for _, create in ipairs(s.creates) do
        if create.late then
            s.known = true -- nobody could find it in time: the one window that remains
            return
        end
    end
    if made > 0 and not fates.delivered then
        state.violation(s, 'created, and nobody was told')
    elseif made == 0 and fates.delivered then
        state.violation(s, 'delivered, and nothing was created')
    elseif made == 0 and not (newest.withdrawn and skipped == newest.version) and
        not (newest.refused and dead == newest.version) then
        state.violation(s, 'lost')
    elseif made > 0 and dead and not world.any_refused then
        state.violation(s, 'delivered and given up')
    elseif made > 0 and s.goals == 0 and is_quiet(world, s) and not world.any_withdrawn then
        state.violation(s, 'goal forgotten')
    end
end

return M
