-- model_rebuild.lua - the rebuild, step by step: the lock; offsets and marks; the ends of the topics; what lies before the
-- ends, filled in; the seal. Everything else goes on in between.
local state = require('model_state')
local worker = require('model_worker')
local script, ready, steps = worker.script, worker.ready, worker.steps
local M = {}

-- Who waits with a record in hand asks the ledger again; the keeper looks another time.
local function leave(w)
    w.token, w.rebuild = nil, nil
    if w.record then
        w.pc = 'acquire'
    else
        state.forget(w)
    end
end

function steps.lock(world, s, w)
    ready(world, s, w)
    s.locks = s.locks + (w.token and 0 or 1) -- no token is ever used again
    local token = w.token or w.name .. w.life .. '-' .. s.locks
    local reply = script(world, s, w, 'lock', {'marker', 'lock'}, token, '3', w.token and '1' or '0')
    return function()
        if reply[1] == '1' then
            w.token, w.pc = token, world.off.order and 'ends' or 'marks'
        else
            leave(w)
        end
    end
end

local function add(w, values)
    local rebuild = state.copy(w.rebuild or {})
    for name, value in pairs(values) do
        rebuild[name] = value
    end
    w.rebuild = rebuild
end

function steps.marks(world, s, w)
    local payloads, retry = s.parts[1], s.parts[2]
    return function()
        add(w, {committed = {payloads.committed, retry.committed}, mark = {payloads.mark, retry.mark}})
        w.pc = world.off.order and 'fill' or 'ends'
    end
end

function steps.ends(world, s, w)
    return function()
        add(w, {ends = {#s.parts[1].records, #s.parts[2].records}, fates = s.fates})
        w.pc = world.off.order and 'marks' or 'fill'
    end
end

-- What is filled in: {state, version, how, note, reason}; and whether it says all about the order.
function M.contents(world, s, rebuild)
    local list, exact = {}, true
    for fate, state_ in pairs({delivered = 'done', skipped = 'withdrawn', dead = 'dead'}) do
        local one = rebuild.fates[fate]
        if one and not (state_ ~= 'done' and world.off.fates) then
            list[#list + 1] = {state = state_, version = one.version, how = one.note and 'exact' or '', note = one.note}
            exact = exact and (state_ == 'done' or one.note ~= nil)
        end
    end
    table.sort(list, function(a, b)
        return a.state < b.state
    end)
    if world.older_pusher then
        return list, false -- it reads the fates alone
    end
    for p = 1, 2 do
        local mark = rebuild.mark[p] or (world.off.no_mark and 0 or rebuild.ends[p])
        for offset = rebuild.committed[p] + 1, rebuild.ends[p] do
            local record = s.parts[p].records[offset]
            local touched = offset <= mark
            if (touched and not (p == state.PAYLOADS and world.off.touched)) or p == state.RETRY then
                list[#list + 1] = {state = 'open', version = world.records[record.i].version, note = record.note,
                                   how = (touched or not record.note) and 'careful' or 'exact'}
            end
            if touched or (p == state.RETRY and not record.clean) then
                exact = false
            end
        end
    end
    return list, exact
end

-- The records come in any order: forwards or backwards.
function steps.fill(world, s, w, backwards)
    local list, exact = M.contents(world, s, w.rebuild)
    local fenced = false
    ready(world, s, w)
    for i = 1, #list do
        local one = list[backwards and #list + 1 - i or i]
        local pairs_, count = {}, 0
        if one.note then
            for name, value in pairs(one.note.fields) do
                pairs_[#pairs_ + 1], pairs_[#pairs_ + 2], count = name, value, count + 1
            end
            for name, value in pairs(one.note.steps) do
                pairs_[#pairs_ + 1], pairs_[#pairs_ + 2] = name, value
            end
        elseif one.state == 'done' then
            pairs_ = {'order', 'id1', 'goal', 'sent'}
        end
        fenced = script(world, s, w, 'fill', {'marker', 'entry', 'lock'}, w.token or '', one.state, tostring(one.version),
                        'd' .. one.version, one.state == 'dead' and 'refused' or '', tostring(state.KEEP), one.how,
                        tostring(count), unpack(pairs_))[1] == 'FENCED' or fenced
    end
    return function()
        if fenced then
            leave(w)
        else
            w.pc, w.rebuild = 'seal', {exact = exact}
        end
    end
end

function steps.seal(world, s, w)
    ready(world, s, w)
    local reply = script(world, s, w, 'seal', {'marker', 'lock'}, w.token or '', tostring(s.run), tostring(state.KEEP), '',
                         tostring(w.seen_epoch))
    if reply[1] == 'OK' and reply[2] ~= '0' then
        s.db.marker.filled_by = not world.older_pusher and s.db.marker.filled_by or nil
        s.exact = w.rebuild.exact or nil
        s.hurt = s.hurt or not w.rebuild.exact or nil
    end
    return function()
        leave(w)
    end
end

return M
