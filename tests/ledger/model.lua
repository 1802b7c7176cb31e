-- model.lua - every interleaving of two workers over the real Lua scripts of the ledger: crashes, pauses, lost answers,
-- leases that run out, an emptied, replaced, restarted or rolled-back Redis, rebuilds, partitions that move, newer versions,
-- withdrawals, refusals.
--
-- Usage: lua5.1 tests/ledger/model.lua [quick|full|rules] [-v] [only=SCENARIO]
--   quick   the scenarios with small budgets of faults (some seconds)
--   full    more of them, with larger ones (the default; some minutes and 2 GB)
--   rules   each rule of the ledger switched off in turn: a violation must be found (prints how)
-- Last line: ledger-model: states=N violations=0 known_window=M, or rules=R seen=R; exit 1 where there are violations.
local folder = string.match(arg[0], '^(.*)/') or '.'
package.path = folder .. '/?.lua;' .. package.path
local redis = require('model_redis')
local state = require('model_state')
local model = require('model_world')
local key = require('model_key')
local rules = require('model_rules')
local SCRIPTS = folder .. '/../../common/ledger'

-- Breadth first, so that a violation comes with one of the shortest ways to it.
local function explore(world, stop_early)
    local first = state.first(world, world.budget)
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
        if model.finished(s) then
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
        elseif not model.finished(s) then
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

local function world_of(scenario, scripts, budget, off)
    local world = {records = scenario.records, one_process = scenario.one_process, few_losses = scenario.few_losses,
                   older_pusher = scenario.older_pusher,
                   budget = budget, scripts = scripts, off = off or {}}
    for _, record in ipairs(scenario.records) do
        if not world.newest_is or record.version >= world.newest_is.version then
            world.newest_is = record
        end
        world.any_refused = world.any_refused or record.refused
        world.any_withdrawn = world.any_withdrawn or record.withdrawn
    end
    return world
end

io.stdout:setvbuf("line")
local mode, verbose, only = 'full', false, nil
for _, word in ipairs(arg) do
    if word == '-v' then
        verbose = true
    elseif string.find(word, '^only=') then
        only = string.sub(word, 6)
    else
        mode = word
    end
end

local failed = 0
if mode == 'rules' then
    local count = 0
    for _, rule in ipairs(rules.rules) do
        if not only or rule[1] == only then
            local scenario = rules.scenario(rule.at)
            local budget = rule.budget or scenario.rules or scenario.quick
            local world = world_of(scenario, redis.load(SCRIPTS, rule.scripts), budget, rule.off)
            local result = explore(world, true)
            count, failed = count + 1, failed + (result.violations[1] and 0 or 1)
            print(string.format('rule %s off: %s: %s (states=%d cpu_s=%.1f)', rule[1], scenario.name,
                                result.violations[1] or 'NOTHING SEEN', result.states, os.clock()))
        end
    end
    print(string.format('ledger-model: rules=%d seen=%d', count, count - failed))
else
    local scripts, states, known = redis.load(SCRIPTS), 0, 0
    for _, scenario in ipairs(rules.scenarios) do
        if scenario[mode] and (not only or scenario.name == only) then
            local result = explore(world_of(scenario, scripts, scenario[mode]))
            states, known, failed = states + result.states, known + result.known, failed + #result.violations
            if verbose then
                print(string.format('%s: states=%d known_window=%d cpu_s=%.1f', scenario.name, result.states,
                                    result.known, os.clock()))
            end
            for i = 1, math.min(3, #result.violations) do
                print('violation, ' .. scenario.name .. ': ' .. result.violations[i])
            end
        end
    end
    print(string.format('ledger-model: states=%d violations=%d known_window=%d', states, failed, known))
end
os.exit(failed == 0 and 0 or 1)
