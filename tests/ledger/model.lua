-- model.lua - every interleaving of two workers over the real Lua scripts of the ledger: crashes, pauses, lost answers,
-- leases that run out, an emptied, replaced, restarted or rolled-back Redis, newer versions, withdrawals, refusals.
--
-- Usage: lua5.1 tests/ledger/model.lua [quick|full|rules] [-v] [only=SCENARIO] [budget=CRASHES,ANSWERS,HTTP,LOSSES,COPIES]
--   quick   the scenarios with small budgets of faults (some seconds)
--   full    more of them, with larger ones (the default; about ten minutes and 1 GB)
--   rules   each rule of the ledger switched off in turn: a violation must be found (prints how)
-- Last line: ledger-model: states=N violations=0 known_window=M; exit 1 where there are violations.
local folder = string.match(arg[0], '^(.*)/') or '.'
package.path = folder .. '/?.lua;' .. package.path
local redis = require('model_redis')
local model = require('model_world')
local key = require('model_key')
local SCRIPTS = folder .. '/../../common/ledger'

local V1, V2, V3 = {version = 1}, {version = 2}, {version = 3}
local W2, W1, R1, R2 = {version = 2, withdrawn = true}, {version = 1, withdrawn = true}, {version = 1, refused = true},
                       {version = 2, refused = true}
-- copies: whether an old copy of Redis may come back too (of any moment: many more states)
local function budget(crashes, answers, http, losses, copies)
    return {crashes = crashes, answers = answers, http = http, losses = losses, copies = copies}
end

local scenarios = {
    {name = 'one order', records = {V1}, quick = budget(1, 1, 1, 0, 0), full = budget(2, 1, 1, 0, 0)},
    {name = 'one order, Redis lost', records = {V1}, quick = budget(0, 0, 0, 1, 1), full = budget(1, 0, 0, 1, 1)},
    {name = 'a newer version', records = {V1, V2}, quick = budget(0, 0, 1, 0, 0), full = budget(1, 0, 1, 0, 0)},
    {name = 'a newer version, Redis lost', records = {V1, V2}, full = budget(0, 0, 0, 1, 1)},
    {name = 'withdrawn', records = {V1, W2}, quick = budget(0, 0, 1, 0, 0), full = budget(1, 0, 1, 0, 0)},
    {name = 'withdrawn, Redis lost', records = {V1, W2}, quick = budget(0, 0, 0, 1, 0), full = budget(0, 0, 0, 1, 1)},
    {name = 'withdrawn alone', records = {W1}, quick = budget(0, 1, 0, 1, 1), full = budget(1, 0, 0, 1, 1)},
    {name = 'refused, then repaired', records = {R1, V2}, quick = budget(0, 0, 0, 0, 0), full = budget(1, 0, 0, 0, 0)},
    {name = 'refused alone', records = {R1}, quick = budget(1, 0, 0, 0, 0), full = budget(1, 0, 0, 1, 1)},
    {name = 'made, then a version that would be refused', records = {V1, R2}, quick = budget(0, 0, 1, 0, 0),
     full = budget(1, 0, 1, 0, 0)},
    -- A copy that vouches: only the process that saw more can tell (one process, without a crash).
    {name = 'one order, a copy of before a restart', records = {V1}, one_process = 'restart',
     quick = budget(0, 0, 0, 2, 1), full = budget(0, 0, 1, 2, 1)},
    {name = 'one order, a copy of before a rebuild', records = {V1}, one_process = 'rebuild',
     rules = budget(0, 0, 0, 2, 1), full = budget(0, 0, 0, 2, 1)},
    {name = 'three versions', records = {V1, W2, V3}, full = budget(0, 0, 1, 0, 0)},
}

-- Breadth first, so that a violation comes with one of the shortest ways to it.
local function explore(world, budget_, stop_early)
    local first = model.first({budget = budget_})
    local states, from, labels, before = {first}, {0}, {''}, {{}}
    local ids = {[key.of(first)] = 1}
    local result = {states = 0, violations = {}, known = 0}
    local good = {}

    local function way(id)
        local list = {}
        while id > 1 do
            table.insert(list, 1, labels[id])
            id = from[id]
        end
        return table.concat(list, '; ')
    end

    local at = 1
    while at <= #from do
        local s = states[at]
        states[at] = false
        if model.finished(world, s) then
            model.judge(world, s)
            good[#good + 1] = at
        end
        if s.violation then
            result.violations[#result.violations + 1] = s.violation .. ': ' .. way(at)
            good[#good + 1] = at
            if stop_early then
                break
            end
        elseif s.known then
            result.known = result.known + 1
            good[#good + 1] = at
        elseif not model.finished(world, s) then
            local moves = {}
            model.worker_moves(world, s, 1, moves)
            model.worker_moves(world, s, 2, moves)
            model.world_moves(world, s, moves)
            for _, move in ipairs(moves) do
                local name = move[2].violation and {} or key.of(move[2])
                local id = ids[name]
                if not id then
                    id = #from + 1
                    ids[name], states[id], from[id], labels[id], before[id] = id, move[2], at, move[1], {}
                end
                local list = before[id]
                list[#list + 1] = at
            end
        end
        at = at + 1
    end
    result.states = #from

    -- From everywhere there must be a way to the end.
    if not stop_early or #result.violations == 0 then
        local reached, queue = {}, good
        for _, id in ipairs(queue) do
            reached[id] = true
        end
        local i = 1
        while i <= #queue do
            for _, id in ipairs(before[queue[i]]) do
                if not reached[id] then
                    reached[id] = true
                    queue[#queue + 1] = id
                end
            end
            i = i + 1
        end
        for id = 1, #from do
            if not reached[id] then
                result.violations[#result.violations + 1] = 'stuck: ' .. way(id)
                break
            end
        end
    end
    return result
end

local function world_of(scenario, scripts, off)
    local world = {records = scenario.records, one_process = scenario.one_process, scripts = scripts, off = off or {}}
    for _, record in ipairs(scenario.records) do
        if not world.newest_is or record.version > world.newest_is.version then
            world.newest_is = record
        end
        world.any_refused = world.any_refused or record.refused
    end
    return world
end

-- Each rule switched off, in the scripts (text replaced) or in the worker, and the scenario where that shows (default: 'one
-- order').
local rules = {
    {'1 doubt', scripts = {{'acquire', "if known and not entry.doubt then", "entry.doubt = nil\nif known then"}}},
    {'1 doubt is written', scripts = {{'step', "put('doubt', beginning)", ""}}},
    {'1 fences', scripts = {{'step', "entry.fence == fence and", ""}}},
    {'2 the second look', off = {second_look = true}},
    {'3 absent', at = 'one order, Redis lost', scripts = {{'acquire', "if order and tonumber(ARGV[3]) <", "if false and tonumber(ARGV[3]) <"}}},
    {'3 another epoch', at = 'one order, Redis lost', scripts = {{'acquire', "elseif known and order and not certain then", "elseif false then"}}},
    {'3 goals in doubt', at = 'one order, Redis lost', scripts = {{'acquire', "put('goals', '1')\n        put('doubt'", "put('doubt'"},
                                    {'acquire', "put('goals', '1')\n    if entry.doubt", "if entry.doubt"}}},
    {'4 hello', at = 'one order, Redis lost', scripts = {{'hello', "if (restarted and not vouches)", "if false and (restarted and not vouches)"}}},
    {'4 a run of this epoch that is not known', at = 'one order, a copy of before a restart',
     scripts = {{'hello', "not reached or", ""}, {'hello', "reached < seen", "reached and reached < seen"}}},
    {'4 an older epoch', at = 'one order, a copy of before a rebuild',
     scripts = {{'hello', "seen_epoch > whole(epoch)", "false"}}},
    {'4 what the process saw', at = 'one order, a copy of before a restart', off = {shared = true}},
    {'4 filling in', at = 'withdrawn, Redis lost', scripts = {{'fill', "write_entry(set)", ""}}},
    {'5 versions', at = 'withdrawn', scripts = {{'acquire', "mine < theirs or", "false and"}}},
    {'5 the doubt of a newer one', at = 'withdrawn, Redis lost', scripts = {{'step', "put('lease', '0') -- its next acquire says OLD\n                    word = 'FENCED'",
                                                 ""}}},
    {'6 withdrawn in doubt', at = 'withdrawn', scripts = {{'acquire', "if known and not entry.doubt then",
                                         "if withdrawn then entry.doubt = nil end\nif known and not entry.doubt then"},
                                        {'step', "finish ~= 'retry' and entry.doubt", "finish == 'done' and entry.doubt"}}},
    {'7 the fate again', off = {republish = true}},
    {'7 the epoch again', at = 'withdrawn, Redis lost', off = {epoch = true}},
    {'8 busy is not charged', off = {busy = true}},
}

io.stdout:setvbuf("line")
local mode, verbose, only, own_budget = 'full', false, nil, nil
for _, word in ipairs(arg) do
    if word == '-v' then
        verbose = true
    elseif string.find(word, '^only=') then
        only = string.sub(word, 6)
    elseif string.find(word, '^budget=') then
        local a, b, c, d, e = string.match(word, '=(%d),(%d),(%d),(%d),(%d)$')
        own_budget = budget(tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e))
    else
        mode = word
    end
end
for i = #scenarios, 1, -1 do
    local known = own_budget or scenarios[i][mode] or (mode == 'rules' and scenarios[i].quick)
    if (only and scenarios[i].name ~= only) or not known then
        table.remove(scenarios, i)
    elseif own_budget then
        scenarios[i].quick, scenarios[i].full = own_budget, own_budget
    end
end

local failed = 0
if mode == 'rules' then
    for _, rule in ipairs(rules) do
        local scripts, seen = redis.load(SCRIPTS, rule.scripts), nil
        for _, scenario in ipairs(scenarios) do
            if not seen and scenario.name == (rule.at or 'one order') then
                local result = explore(world_of(scenario, scripts, rule.off), scenario.rules or scenario.quick, true)
                seen = result.violations[1] and scenario.name .. ': ' .. result.violations[1]
            end
        end
        failed = failed + (seen and 0 or 1)
        print('rule ' .. rule[1] .. ' off: ' .. (seen or 'NOTHING SEEN'))
    end
    print(string.format('ledger-model: rules=%d seen=%d', #rules, #rules - failed))
else
    local scripts, states, known = redis.load(SCRIPTS), 0, 0
    for _, scenario in ipairs(scenarios) do
        local result = explore(world_of(scenario, scripts), scenario[mode])
        states, known, failed = states + result.states, known + result.known, failed + #result.violations
        if verbose then
            print(string.format('%s: states=%d known_window=%d cpu_s=%.1f', scenario.name, result.states, result.known,
                                os.clock()))
        end
        for i = 1, math.min(3, #result.violations) do
            print('violation, ' .. scenario.name .. ': ' .. result.violations[i])
        end
    end
    print(string.format('ledger-model: states=%d violations=%d known_window=%d', states, failed, known))
end
os.exit(failed == 0 and 0 or 1)
