-- model_world.lua - the world of the model: Redis, the account, Kafka's records and fates, two workers; every step that
-- can come next. A worker does what services/pusher does, reduced to one order and one goal. Each move is one script,
-- one HTTP call, one publish or one commit, so everything between two of them is an interleaving.
local redis = require('model_redis')
local M = {}

-- Time in ms, one tick each. A create can be looked up LAG after it was made. A create that leaves later than this after
-- its begin is the known window of docs/ledger.md.
local LEASE, VISIBLE, LAG, KEEP = 2, 2, 1, 1000000
local LATE = VISIBLE - LAG
M.VISIBLE, M.LAG, M.LATE = VISIBLE, LAG, LATE
local START, SEEN = 100, 50 -- now at first, when the records were seen; the first epoch is 10

local function copy(table_)
    local new = {}
    for key, value in pairs(table_) do
        new[key] = value
    end
    return new
end

local function copy_db(db)
    local new = {}
    for key, value in pairs(db) do
        new[key] = type(value) == 'table' and copy(value) or value
    end
    return new
end

local function clone(s)
    local new = copy(s)
    new.db, new.snapshot = copy_db(s.db), s.snapshot and copy_db(s.snapshot)
    new.workers = {copy(s.workers[1]), copy(s.workers[2])}
    new.committed, new.fates, new.budget = copy(s.committed), copy(s.fates), copy(s.budget)
    new.creates = {}
    for i, create in ipairs(s.creates) do
        new.creates[i] = create -- never changed
    end
    return new
end

function M.first(scenario)
    local budget = copy(scenario.budget)
    local function worker(name)
        return {name = name, life = 0, pc = 'idle', run = 1, seen_run = '1', seen = 0, seen_epoch = 10}
    end
    return {now = START, run = 1, vouches = 1, budget = budget, goals = 0, creates = {}, fates = {}, committed = {},
            workers = {worker('a'), worker('b')}, known = false,
            db = {marker = {born_at = '10', since = '10', run = '1', keep = tostring(KEEP), writes = '100'}}}
end

-- What was acknowledged last: of one worker, or of both where they are threads of one process.
local function remember(world, s, w, seen, seen_run, seen_epoch)
    for _, worker in ipairs(world.one_process and not world.off.shared and s.workers or {w}) do
        worker.seen, worker.seen_run, worker.seen_epoch = seen, seen_run, seen_epoch
    end
end

-- One script, after hello where the connection is new.
local function script(world, s, w, name, keys, ...)
    local function run(which, keys_, arguments)
        local reply = redis.run(world.scripts[which], s.db, s.now, keys_, arguments)
        local writes, epoch = tonumber(reply[2]), s.db.marker and tonumber(s.db.marker.born_at)
        if which ~= 'fill' and writes and epoch and writes > 0 and
            (epoch > w.seen_epoch or (epoch == w.seen_epoch and writes > w.seen)) then
            remember(world, s, w, writes, tostring(s.run), epoch)
        end
        return reply
    end
    if w.run ~= s.run then
        local reply = run('hello', {'marker'}, {tostring(s.run), tostring(s.vouches), w.seen_run, tostring(w.seen),
                                                tostring(KEEP), tostring(w.seen_epoch)})
        w.run = s.run
        if reply[1] ~= 'OK' then
            w.token = nil
        end
    end
    return run(name, keys, {...})
end

local function violation(s, text)
    s.violation = s.violation or text
end

-- What comes after the ledger said that this worker may go on.
local function go_on(world, s, w)
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

local function forget(w)
    for _, name in ipairs({'record', 'fence', 'epoch', 'doubt', 'visible_at', 'order', 'goal', 'goals_in_doubt',
                           'begun_at', 'how', 'fate'}) do
        w[name] = nil
    end
    w.pc = 'idle'
end

-- Only what still matters: states that differ in the rest are one.
local function keep(w, pc)
    local record, epoch, fate = w.record, w.epoch, w.fate
    forget(w)
    w.record, w.pc = record, pc
    if pc == 'publish' or pc == 'epoch' then
        w.epoch, w.fate = epoch, fate
    end
end

local steps = {}

function steps.acquire(world, s, w)
    local record = world.records[w.record]
    local reply = script(world, s, w, 'acquire', {'marker', 'entry'}, 'order', tostring(record.version),
                         tostring(SEEN), record.withdrawn and 'w' or 'd' .. record.version,
                         record.withdrawn and '1' or '0', '0', tostring(LEASE), '0', w.name .. w.life, tostring(VISIBLE))
    return function()
        local word = reply[1]
        if word == 'LOST' then
            keep(w, 'lock')
            return
        end
        w.fence, w.epoch = reply[3], string.match(reply[3], '^%d+')
        w.doubt, w.order, w.goal = nil, nil, nil
        w.goals_in_doubt = tonumber(reply[8]) % 2 == 1 and 1 or nil
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
            go_on(world, s, w)
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
        if s.now - s.creates[i].at >= LAG then
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

-- A call of step.lua; on OK `next_pc`.
local function change(world, s, w, ended, result, begun, finish, after)
    local reply = script(world, s, w, 'step', {'marker', 'entry'}, w.fence, tostring(LEASE), tostring(KEEP), ended, result,
                         begun, finish, finish == 'dead' and 'refused' or '')
    return function()
        if reply[1] == 'OK' or reply[1] == 'OK_STALE' then
            after()
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
        go_on(world, s, w)
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
    return change(world, s, w, '', '', '', 'retry', function()
        forget(w)
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
    return change(world, s, w, ended, ended ~= '' and w.goal or '', '', w.how, function()
        w.fate = ({done = 'delivered', withdrawn = 'skipped', dead = 'dead'})[w.how]
        keep(w, 'publish')
    end)
end

function steps.lock(world, s, w)
    local token = w.token or w.name .. w.life .. '-' .. s.now
    local reply = script(world, s, w, 'lock', {'marker', 'lock'}, token, '3', w.token and '1' or '0')
    return function()
        w.token, w.pc = reply[1] == '1' and token or nil, reply[1] == '1' and 'fill' or 'acquire'
    end
end

function steps.fill(world, s, w)
    local answers = {}
    for fate, version in pairs(s.fates) do
        local state = ({delivered = 'done', skipped = 'withdrawn', dead = 'dead'})[fate]
        local pairs_ = fate == 'delivered' and {'order', 'id1', 'goal', 'sent'} or {}
        answers[#answers + 1] = script(world, s, w, 'fill', {'marker', 'entry', 'lock'}, w.token or '', state,
                                       tostring(version), 'd' .. version, 'refused', tostring(KEEP), '', '0',
                                       unpack(pairs_))[1]
    end
    return function()
        w.pc = 'seal'
        for _, answer in ipairs(answers) do
            if answer == 'FENCED' then
                w.token, w.pc = nil, 'acquire'
            end
        end
    end
end

function steps.seal(world, s, w)
    script(world, s, w, 'seal', {'marker', 'lock'}, w.token or '', tostring(s.run), tostring(KEEP), '',
           tostring(w.seen_epoch))
    return function()
        w.token, w.pc = nil, 'acquire'
    end
end

-- HTTP calls

local function post(world, s, w)
    local record, late = world.records[w.record], s.now - w.begun_at > LATE
    local double, answered = #s.creates > 0, s.answered and s.answered >= record.version
    for _, create in ipairs(s.creates) do
        late = late or create.late
    end
    s.creates[#s.creates + 1] = {at = s.now, version = record.version, late = late}
    if (double or answered) and late then
        s.known = true
    elseif double then
        violation(s, 'created twice')
    elseif answered then
        violation(s, 'created after the withdrawal was answered')
    end
end

local function post_goal(s)
    s.goals = s.goals + 1
    if s.goals > 1 then
        violation(s, 'goal sent twice')
    end
end

-- Every move of one worker: list of {label, state}.
function M.worker_moves(world, s, index, list)
    local function move(label, change_)
        local new = clone(s)
        if change_(new, new.workers[index]) ~= false then
            list[#list + 1] = {s.workers[index].name .. ' ' .. label, new}
        end
    end
    local pc = s.workers[index].pc
    if pc == 'idle' then
        for i = 1, #world.records do
            if not s.committed[i] then
                move('takes ' .. i, function(new, w)
                    w.record, w.pc = i, 'acquire'
                    steps.acquire(world, new, w)()
                end)
            end
        end
        return -- it has nothing to lose
    end
    if steps[pc] then
        move(pc, function(new, w)
            local after = steps[pc](world, new, w)
            if not after then
                return false
            end
            after()
        end)
        if s.budget.answers > 0 and pc ~= 'look' and pc ~= 'look_again' then
            move(pc .. ', answer lost', function(new, w)
                new.budget.answers = new.budget.answers - 1
                steps[pc](world, new, w)
            end)
        end
    elseif pc == 'post' then
        local refused = world.records[s.workers[index].record].refused
        move('post', function(new, w)
            if refused then
                w.pc, w.begun_at = 'end_refused', nil
            else
                post(world, new, w)
                w.order, w.pc, w.begun_at = 'id' .. #new.creates, 'end_order', nil
            end
        end)
        if s.budget.http > 0 and not refused then
            for _, effect in ipairs({true, false}) do
                move('post, answer lost', function(new, w)
                    new.budget.http = new.budget.http - 1
                    if effect then
                        post(world, new, w)
                    end
                    w.pc, w.begun_at = 'retry', nil
                end)
            end
        end
    elseif pc == 'post_goal' then
        move('goal', function(new, w)
            post_goal(new)
            w.goal, w.pc = 'sent', 'finish'
        end)
    elseif pc == 'publish' then
        move('publishes ' .. s.workers[index].fate, function(new, w)
            local version = world.records[w.record].version
            new.fates[w.fate] = math.max(version, new.fates[w.fate] or 0)
            keep(w, w.fate == 'delivered' and 'commit' or 'epoch')
        end)
    elseif pc == 'epoch' then
        move('asks for the epoch', function(new, w)
            local same = new.db.marker and new.db.marker.born_at == w.epoch and w.run == new.run
            if (same or world.off.epoch) and w.fate == 'skipped' then
                -- Final from here on. Published alone is not: Redis may have been lost since the finish (rule 7).
                new.answered = world.records[w.record].version
            end
            keep(w, (same or world.off.epoch) and 'commit' or 'acquire')
        end)
    elseif pc == 'commit' then
        move('commits', function(new, w)
            new.committed[w.record] = true
            forget(w)
        end)
    end
    if s.budget.crashes > 0 then
        move('crashes', function(new, w)
            new.budget.crashes = new.budget.crashes - 1
            forget(w)
            w.life, w.run, w.seen_run, w.seen, w.seen_epoch, w.token = w.life + 1, 0, '', 0, 0, nil
        end)
    end
end

-- What the world does by itself.
function M.world_moves(world, s, list)
    local function move(label, change_)
        local new = clone(s)
        change_(new)
        list[#list + 1] = {label, new}
    end
    move('time passes', function(new)
        new.now = new.now + 1
    end)
    if s.budget.losses == 0 then
        return
    end
    local function lose(label, change_)
        move(label, function(new)
            new.budget.losses, new.snapshot = new.budget.losses - 1, nil
            change_(new)
        end)
    end
    if world.one_process then
        return M.vouching_moves(world, s, move)
    end
    if s.snapshot then
        lose('an old copy of Redis', function(new)
            new.db, new.run, new.vouches = copy_db(s.snapshot), s.run + 1, 0
        end)
        return
    end
    lose('FLUSHALL', function(new)
        new.db = {}
    end)
    lose('an empty Redis', function(new)
        new.db, new.run, new.vouches = {}, s.run + 1, 0
    end)
    lose('Redis restarts', function(new)
        new.run, new.vouches = s.run + 1, 1
    end)
    if s.budget.copies > 0 then
        move('Redis is copied', function(new)
            new.snapshot = copy_db(s.db)
        end)
    end
end

-- An old copy comes back in a server that vouches, after a restart or an emptied Redis. Only who saw what was acknowledged
-- since can tell, so there is one process here and it does not crash (docs/ledger.md, what it asks of Redis).
function M.vouching_moves(world, s, move)
    local function change(label, db, budget)
        move(label, function(new)
            new.db, new.run, new.vouches = db and copy_db(db) or new.db, s.run + 1, 1
            new.budget.losses = s.budget.losses - 1
            new.budget.copies, new.snapshot = budget, budget > 0 and new.snapshot or nil
        end)
    end
    if not s.snapshot and #s.creates == 0 then -- of before what is to be made once
        move('Redis is copied', function(new)
            new.snapshot = copy_db(s.db)
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

function M.finished(world, s)
    for i = 1, #world.records do
        if not s.committed[i] then
            return false
        end
    end
    return s.workers[1].pc == 'idle' and s.workers[2].pc == 'idle'
end

-- All is committed: is what was answered right?
function M.judge(world, s)
    local made, fates = #s.creates, s.fates
    for _, create in ipairs(s.creates) do
        if create.late then
            s.known = true -- nobody could find it in time: the one window that remains
            return
        end
    end
    if made > 0 and not fates.delivered then
        violation(s, 'created, and nobody was told')
    elseif made == 0 and fates.delivered then
        violation(s, 'delivered, and nothing was created')
    elseif made == 0 and not (world.newest_is.withdrawn and fates.skipped == world.newest_is.version) and
        not (world.newest_is.refused and fates.dead == world.newest_is.version) then
        violation(s, 'lost')
    elseif made > 0 and fates.dead and not world.any_refused then
        violation(s, 'delivered and given up')
    elseif made > 0 and s.goals == 0 and s.now == START and s.untouched then
        violation(s, 'goal forgotten')
    end
end

return M
