-- step: begin, end and finish, each optional, in the order end, begin, finish. Repeating one changes nothing.
-- ARGV: fence, lease_ms, keep_ms, step to end, its result ('': no effect), step to begin, finish (''|done|dead|retry|
-- withdrawn), note: the reason (dead, withdrawn), or the evidence to keep for whoever has the entry next (done, retry; '': as it is)
-- Answer: OK | OK_STALE | FENCED | LOST, writes. FENCED after an `end` that was this fence's own: the end is recorded.
-- After the OK of a finish retry, dead or withdrawn the entry's fields follow, name and value in turn: what the record
-- carries with it, so that a rebuild knows it too (note.h).
local fence, lease_ms, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local ending, result, beginning, finish = ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local now = now_ms()
local epoch = read_marker()
if not epoch then
    return {'LOST', '0'}
end

local names = {'fence', 'state', 'lease', 'modified_at', 'doubt', 'doubt_at', 'doubt_fence', 'ask', 'held',
               'held_digest', 'stale', 's:order', 's:' .. beginning}
local values = redis.call('HMGET', KEYS[2], unpack(names))
local entry = {}
for i = 1, #names do
    entry[names[i]] = values[i] or nil
end
local mine = entry.fence == fence and string.match(fence, '^(%d+)-') == epoch
if damage(entry) and (mine or redis.call('EXISTS', KEYS[2]) == 1) then
    return {err = damage(entry)}
elseif not mine then
    return {'FENCED', '0'}
end
local NOTED = {state = true, modified_at = true, digest = true, reason = true, doubt = true, ask = true, absent = true,
               goals = true, look_again = true}
local function answer(word, writes)
    local reply = {word, writes}
    if word ~= 'FENCED' and (finish == 'retry' or finish == 'dead' or finish == 'withdrawn') then
        local list = redis.call('HGETALL', KEYS[2])
        for i = 1, #list, 2 do
            if NOTED[list[i]] or string.sub(list[i], 1, 2) == 's:' then
                reply[#reply + 1] = list[i]
                reply[#reply + 1] = list[i + 1]
            end
        end
    end
    return reply
end

if entry.lease == '0' then
    -- Given back already. The same finish again is the repetition of one whose reply was lost.
    if finish == entry.state or (finish == 'retry' and entry.state ~= 'done' and entry.state ~= 'dead') then
        return answer(entry.stale and 'OK_STALE' or 'OK', '0')
    end
    return {'FENCED', '0'}
end

local set = {}
local function put(name, value)
    entry[name] = value or nil
    set[name] = value
end
local word = 'OK'

-- Whether the version in hand was withdrawn, and was granted only for the sake of a doubt: then the entry is given back,
-- and its next acquire says OLD (rule 5).
local function stop_withdrawn()
    if entry.state ~= 'withdrawn' or entry['s:order'] then
        return false
    end
    put('lease', '0')
    return true
end

if ending ~= '' then
    if result ~= '' then
        put('s:' .. ending, result)
    end
    if entry.doubt == ending then
        if result == '' and ending == 'order' and entry.doubt_fence ~= fence then
            put('look_again', '1') -- it was looked up and not there: to be looked up once more, later
        end
        put('doubt', false)
        put('doubt_at', false)
        put('doubt_fence', false)
        if entry.ask then
            put('ask', false)
            if not entry['s:order'] then
                put('doubt', 'order')
                put('doubt_at', epoch)
            end
        end
        if entry.held and not entry.doubt then
            -- Nothing is in doubt any more, so the versions can be compared (rule 4).
            if not entry['s:order'] then
                if whole(entry.held) < whole(entry.modified_at) then
                    put('lease', '0') -- its next acquire says OLD
                    word = 'FENCED'
                else
                    put('modified_at', entry.held)
                    put('digest', entry.held_digest)
                end
            end
            put('held', false)
            put('held_digest', false)
        end
    end
end

if beginning ~= '' and word == 'OK' then
    -- Another doubt, one that this fence did not begin, or a step that has its result: look first.
    if entry.doubt and (entry.doubt ~= beginning or entry.doubt_fence ~= fence) then
        word = 'FENCED'
    elseif entry['s:' .. beginning] or stop_withdrawn() then
        word = 'FENCED'
    else
        put('doubt', beginning)
        put('doubt_at', decimal(now))
        put('doubt_fence', fence)
        put('lease', decimal(now + lease_ms))
    end
end

if finish ~= '' and word == 'OK' then
    if (finish ~= 'retry' and entry.doubt) or (finish == 'dead' and stop_withdrawn()) then
        word = 'FENCED' -- nothing is final while a step is in doubt
    else
        if whole(entry.lease) <= now then
            word = 'OK_STALE'
            put('stale', '1')
        end
        put('lease', '0')
        if (finish == 'done' or finish == 'retry') and ARGV[8] ~= '' then
            put('s:evidence', ARGV[8])
        end
        if finish ~= 'retry' then
            put('state', finish)
            put('reason', (finish == 'dead' or finish == 'withdrawn') and ARGV[8] ~= '' and ARGV[8])
        elseif entry.doubt and entry.doubt_fence == fence then
            -- Its call may have had its effect until now. A look-up of somebody else's step moves no time, or a step that is
            -- given back after each look would never be old enough.
            put('doubt_at', decimal(now))
        end
        if finish == 'done' then
            put('absent', false)
            put('goals', false)
        end
    end
end

local writes = '0'
if next(set) then
    writes = count_write()
    write_entry(set)
    if set.state then
        redis.call('PEXPIRE', KEYS[2], keep_ms)
    end
end
return answer(word, writes)
