-- model_worker.lua - what a worker does with a record: as services/pusher does, reduced to one order and one goal. Each step
-- is one script or one look-up; it returns what the worker does with the answer.
local redis = require('model_redis')
local state = require('model_state')
local keep, forget, violation = state.keep, state.forget, state.violation
local VISIBLE = state.VISIBLE
local M = {}

-- What was acknowledged last: of one worker, or of both where they are threads of one process.
local function remember(world, s, w, seen, seen_run, seen_epoch)
    for _, worker in ipairs(world.one_process and not world.off.shared and s.workers or {w}) do
        worker.seen, worker.seen_run, worker.seen_epoch = seen, seen_run, seen_epoch
    end
end

local function run(world, s, w, name, keys, arguments)
    local reply = redis.run(world.scripts[name], s.db, s.now, keys, arguments)
    local writes, epoch = tonumber(reply[2]), s.db.marker and tonumber(s.db.marker.born_at)
    if name ~= 'fill' and writes and epoch and writes > 0 and
        (epoch > w.seen_epoch or (epoch == w.seen_epoch and writes > w.seen)) then
        remember(world, s, w, writes, tostring(s.run), epoch)
    end
    return reply
end

-- hello, where the connection is new. A lock of a server that is gone is forgotten, whatever the new one knows of it.
function M.ready(world, s, w)
    if w.run ~= s.run then
        run(world, s, w, 'hello', {'marker'}, {tostring(s.run), tostring(s.vouches), w.seen_run, tostring(w.seen),
                                               tostring(state.KEEP), tostring(w.seen_epoch)})
        w.run = s.run
        if not world.off.forget_lock then
            w.token = nil
        end
    end
end

-- One script.
function M.script(world, s, w, name, keys, ...)
    M.ready(world, s, w)
    return run(world, s, w, name, keys, {...})
end
local script = M.script

-- What comes after the ledger said that this worker may go on.
local function go_on(world, w)
    local record = world.records[w.record]
    if w.order then
        w.pc = (w.goal or record.withdrawn) and 'finish' or (w.goals_in_doubt and 'skip_goal' or 'begin_goal')
        w.how = 'done'
    elseif record.withdrawn then
        w.pc, w.how = 'finish', 'withdrawn'
    else
        w.pc = 'begin_order'
    end
end

local steps = {}
M.steps = steps

-- Where the rebuild found every record of the order untouched and nothing in doubt, nothing is looked up and no goal is
-- withheld.
local function check_exact(s, word, goals)
    if s.exact and (word == 'RECONCILE' or (word == 'GRANT' and goals)) then
        violation(s, 'looked up, though it was known how far the order was')
    end
    if word == 'RECONCILE' or word == 'GRANT' then
        s.exact = nil
    end
end

function steps.acquire(world, s, w)
    local record = world.records[w.record]
    local reply = script(world, s, w, 'acquire', {'marker', 'entry'}, 'order', tostring(record.version),
                         tostring(state.SEEN), record.withdrawn and 'w' or 'd' .. record.version,
                         record.withdrawn and '1' or '0', '0', tostring(state.LEASE), w.name .. w.life, tostring(VISIBLE))
    local word, goals = reply[1], reply[8] and tonumber(reply[8]) % 2 == 1
    check_exact(s, word, goals)
    return function()
        if word == 'LOST' then
            keep(w, 'lock')
            return
        end
        w.fence, w.epoch = reply[3], string.match(reply[3], '^%d+')
        w.doubt, w.order, w.goal = nil, nil, nil
        w.goals_in_doubt = goals and 1 or nil
        for i = 10, #reply, 2 do
            w[reply[i]] = reply[i + 1]
        end
        if word == 'BUSY' then
            if world.off.busy then -- charged to the record: given up
                w.fate = 'dead'
                keep(w, 'publish')
            else
                forget(w)
            end
        elseif word == 'RECONCILE' then
            w.doubt, w.pc = reply[5], reply[5] == 'order' and 'look' or 'end_doubt'
            w.visible_at = w.pc == 'look' and s.now + math.max(0, VISIBLE - tonumber(reply[6])) or nil
        elseif word == 'GRANT' then
            go_on(world, w)
        elseif word == 'OLD' then
            w.fate = nil
            keep(w, 'epoch')
        else
            w.fate = word == 'DONE' and 'delivered' or 'dead'
            keep(w, world.off.republish and 'commit' or 'publish')
        end
    end
end

local function look(world, s, w)
    local found
    for i = #s.creates, 1, -1 do
        if s.now - s.creates[i].at >= state.LAG then
            found = 'id' .. i
        end
    end
    return function()
        if found then
            w.order, w.pc, w.visible_at = found, 'end_doubt', nil
        elseif s.now < w.visible_at and w.pc == 'look' and not world.off.second_look then
            w.pc = 'look_again'
        else
            w.pc, w.visible_at = 'end_doubt', nil
        end
    end
end
steps.look = look

function steps.look_again(world, s, w)
    if s.now < w.visible_at then
        return nil -- not yet
    end
    return look(world, s, w)
end

-- What follows OK in the answer to a finish, as the text of a header would hold it.
local function note_of(reply)
    local note, names = {fields = {}, steps = {}}, {}
    for i = 3, #reply, 2 do
        local step = string.match(reply[i], '^s:(.*)')
        if step then
            note.steps[step] = reply[i + 1]
        else
            note.fields[reply[i]] = reply[i + 1]
        end
        names[#names + 1] = reply[i] .. '=' .. reply[i + 1]
    end
    table.sort(names)
    note.text = table.concat(names, ';')
    return note
end

-- A call of step.lua; after() on OK.
local function change(world, s, w, ended, result, begun, finish, after)
    local reply = script(world, s, w, 'step', {'marker', 'entry'}, w.fence, tostring(state.LEASE), tostring(state.KEEP),
                         ended, result, begun, finish, finish == 'dead' and 'refused' or '')
    return function()
        if reply[1] == 'OK' or reply[1] == 'OK_STALE' then
            after(reply)
        else
            keep(w, reply[1] == 'LOST' and 'lock' or 'acquire')
        end
    end
end

function steps.end_doubt(world, s, w)
    local goal = w.doubt == 'goal'
    return change(world, s, w, w.doubt, goal and 'in_doubt' or w.order or '', '', '', function()
        if goal then
            w.goal = 'in_doubt'
        end
        w.doubt = nil
        go_on(world, w)
    end)
end

function steps.begin_order(world, s, w)
    return change(world, s, w, '', '', 'order', '', function()
        w.pc, w.begun_at = 'post', s.now
    end)
end

function steps.end_order(world, s, w)
    local begin = not w.goals_in_doubt
    return change(world, s, w, 'order', w.order, begin and 'goal' or '', '', function()
        w.pc, w.how = begin and 'post_goal' or 'skip_goal', 'done'
    end)
end

function steps.end_refused(world, s, w)
    return change(world, s, w, 'order', '', '', '', function()
        w.pc, w.how = 'finish', 'dead'
    end)
end

function steps.retry(world, s, w)
    return change(world, s, w, '', '', '', 'retry', function(reply)
        w.note = note_of(reply)
        keep(w, 'requeue')
    end)
end

function steps.begin_goal(world, s, w)
    return change(world, s, w, '', '', 'goal', '', function()
        w.pc = 'post_goal'
    end)
end

function steps.skip_goal(world, s, w)
    return change(world, s, w, 'goal', 'in_doubt', '', '', function()
        w.goal, w.pc, w.how = 'in_doubt', 'finish', 'done'
    end)
end

function steps.finish(world, s, w)
    local ended = w.how == 'done' and w.goal and 'goal' or ''
    return change(world, s, w, ended, ended ~= '' and w.goal or '', '', w.how, function(reply)
        w.fate = ({done = 'delivered', withdrawn = 'skipped', dead = 'dead'})[w.how]
        w.note = w.how ~= 'done' and note_of(reply) or nil
        keep(w, 'publish')
    end)
end

-- HTTP calls

function M.post(world, s, w)
    local record, late = world.records[w.record], s.now - w.begun_at > state.LATE
    local double, answered = #s.creates > 0, s.answered and s.answered >= record.version
    local creates, entry = state.copy(s.creates), s.db.entry
    if entry and entry.fence == w.fence and tonumber(entry.modified_at) > record.version then
        violation(s, 'made of an older version than the entry stands for')
    end
    for _, create in ipairs(creates) do
        late = late or create.late
    end
    creates[#creates + 1] = {at = s.now, version = record.version, late = late}
    s.creates = creates
    if (double or answered) and late then
        s.known = true
    elseif double then
        violation(s, 'created twice')
    elseif answered then
        violation(s, 'created after the withdrawal was answered')
    end
end

function M.post_goal(s)
    s.goals = s.goals + 1
    if s.goals > 1 then
        violation(s, 'goal sent twice')
    end
end

return M
