-- model_rules.lua - what the model explores, and each rule of docs/ledger.md switched off.
local M = {}

local V1, V2, V3 = {version = 1}, {version = 2}, {version = 3}
local W2, W1, R1, R2 = {version = 2, withdrawn = true}, {version = 1, withdrawn = true}, {version = 1, refused = true},
                       {version = 2, refused = true}

-- How often what may happen. copies: an old copy of Redis may come back (of any moment: many more states); waits: an
-- account is found closed; moves: a partition goes to another member; resets: of the group, to the beginning.
local NAMES = {'crashes', 'answers', 'http', 'losses', 'copies', 'waits', 'moves', 'resets'}
local function budget(values)
    local all = {}
    for _, name in ipairs(NAMES) do
        all[name] = values[name] or 0
    end
    return all
end

-- few_losses: only an emptied Redis.
-- few_losses: only an emptied Redis or an old copy. one_process: a copy that vouches, which only the process that saw more
-- can tell.
M.scenarios = {
    {name = 'one order', records = {V1}, quick = budget{crashes = 1, answers = 1, http = 1},
     full = budget{crashes = 2, answers = 1, http = 1}},
    {name = 'a partition moves', records = {V1}, quick = budget{http = 1, moves = 1},
     full = budget{http = 1, moves = 2}},
    {name = 'Redis lost', records = {V1}, quick = budget{losses = 1, copies = 1},
     full = budget{crashes = 1, losses = 1, copies = 1}},
    {name = 'Redis lost, a partition moves', records = {V1}, few_losses = true, quick = budget{losses = 1, moves = 1},
     full = budget{losses = 1, copies = 1, moves = 1}},
    {name = 'Redis lost, an order waits', records = {V1}, few_losses = true, quick = budget{losses = 1, waits = 1},
     full = budget{losses = 1, copies = 1, waits = 2}},
    {name = 'Redis lost, an order in doubt', records = {V1}, few_losses = true, quick = budget{losses = 1, http = 1},
     full = budget{losses = 1, copies = 1, http = 1, waits = 1}},
    {name = 'Redis lost twice', records = {V1}, few_losses = true, quick = budget{losses = 2},
     full = budget{losses = 2, copies = 1, waits = 1}},
    {name = 'Redis lost, the group is reset', records = {V1}, few_losses = true, rules = budget{losses = 1, resets = 1},
     full = budget{losses = 1, copies = 1, resets = 1}},
    {name = 'a newer version', records = {V1, V2}, quick = budget{http = 1}, full = budget{crashes = 1, http = 1}},
    {name = 'Redis lost, an older version of the pusher rebuilds', records = {V1}, few_losses = true, older_pusher = true,
     quick = budget{losses = 1, copies = 1}, full = budget{losses = 1, copies = 1, crashes = 1}},
    {name = 'Redis lost, a newer version', records = {V1, V2}, few_losses = true, full = budget{losses = 1, waits = 1}},
    {name = 'withdrawn', records = {V1, W2}, quick = budget{http = 1}, full = budget{crashes = 1, http = 1}},
    {name = 'Redis lost, withdrawn', records = {V1, W2}, few_losses = true, quick = budget{losses = 1},
     full = budget{losses = 1, copies = 1}},
    {name = 'Redis lost, withdrawn before', records = {W2, V1}, few_losses = true, rules = budget{losses = 1},
     full = budget{losses = 1, copies = 1}},
    {name = 'Redis lost, the same version withdrawn', records = {{version = 2}, W2}, few_losses = true,
     quick = budget{losses = 1}, full = budget{losses = 1, copies = 1}},
    {name = 'withdrawn alone', records = {W1}, few_losses = true, quick = budget{answers = 1, losses = 1},
     full = budget{crashes = 1, losses = 1, copies = 1}},
    {name = 'refused, then repaired', records = {R1, V2}, quick = budget{}, full = budget{crashes = 1}},
    {name = 'Redis lost, refused, then repaired', records = {R1, V2}, few_losses = true,
     full = budget{losses = 1, moves = 1}},
    {name = 'refused alone', records = {R1}, quick = budget{crashes = 1}, full = budget{crashes = 1, losses = 1, copies = 1}},
    {name = 'made, then a version that would be refused', records = {V1, R2}, quick = budget{http = 1},
     full = budget{crashes = 1, http = 1}},
    {name = 'a copy of before a restart', records = {V1}, one_process = 'restart', rules = budget{losses = 2, copies = 1},
     full = budget{http = 1, losses = 2, copies = 1}},
    {name = 'a copy of before a rebuild', records = {V1}, one_process = 'rebuild', rules = budget{losses = 2, copies = 1},
     full = budget{losses = 2, copies = 1}},
    {name = 'three versions', records = {V1, W2, V3}, full = budget{http = 1}},
}

-- The number is that of the rule in docs/ledger.md. {rule, at = scenario ('one order'), budget = another one than the
-- scenario's, scripts = {script, text, what stands there instead}, off = what the world does otherwise}
M.rules = {
    {'1 a doubt is looked up first',
     scripts = {{'acquire', "if known and not entry.doubt then", "entry.doubt = nil\nif known then"}}},
    {'1 a doubt is written', scripts = {{'step', "put('doubt', beginning)", ""}}},
    {'2 fences', scripts = {{'step', "entry.fence == fence and", ""}}},
    {'3 the second look', off = {second_look = true}},
    {'4 versions', at = 'withdrawn', scripts = {{'acquire', "mine < theirs or", "false and"}}},
    {'4 an older one beside a doubt', at = 'a newer version',
     scripts = {{'step', "put('lease', '0') -- its next acquire says OLD\n                    word = 'FENCED'", ""}}},
    {'5 withdrawn in doubt', at = 'withdrawn',
     scripts = {{'acquire', "if known and not entry.doubt then",
                 "if withdrawn then entry.doubt = nil end\nif known and not entry.doubt then"},
                {'step', "finish ~= 'retry' and entry.doubt", "finish == 'done' and entry.doubt"}}},
    {'5 a version that was withdrawn', at = 'Redis lost, the same version withdrawn',
     scripts = {{'step', "if entry.state ~= 'withdrawn' or entry['s:order'] then", "if true then"}}},
    {'5 a doubt opens no withdrawal', at = 'Redis lost, the same version withdrawn',
     scripts = {{'acquire', "(withdrawn or whole(version) <= whole(entry.modified_at))", "withdrawn"}}},
    {'6 the fate again', off = {republish = true}},
    {'6 the epoch again', at = 'Redis lost, the same version withdrawn', off = {epoch = true}},
    {'7 busy is not charged', off = {busy = true}},
    {'8 a restart that does not vouch', at = 'Redis lost', budget = budget{crashes = 1, losses = 1, copies = 1},
     scripts = {{'hello', "if (restarted and not vouches)", "if false and (restarted and not vouches)"}}},
    {'8 a run that is not known', at = 'a copy of before a restart',
     scripts = {{'hello', "not reached or", ""}, {'hello', "reached < seen", "reached and reached < seen"}}},
    {'8 an older epoch', at = 'a copy of before a rebuild', scripts = {{'hello', "seen_epoch > whole(epoch)", "false"}}},
    {'8 what the process saw', at = 'a copy of before a restart', budget = budget{losses = 2, copies = 1, moves = 1},
     off = {shared = true}},
    {'9 the mark comes first', at = 'Redis lost twice', budget = budget{losses = 1}, off = {mark_first = true}},
    {'9 an older generation is refused', at = 'Redis lost, an order waits', budget = budget{losses = 1, waits = 1, moves = 1},
     off = {generation = true}},
    {'10 the note is written', at = 'Redis lost, an order waits', off = {note = true}},
    {'10 its doubt is kept', at = 'Redis lost, an order in doubt', scripts = {{'fill', "note.doubt or ''", "''"}}},
    {'11 marks before ends', at = 'Redis lost, an order in doubt', off = {order = true}},
    {'11 a lock of another server is forgotten', at = 'Redis lost twice', budget = budget{losses = 2, copies = 1},
     off = {forget_lock = true}},
    {'11 fates are filled in', at = 'Redis lost, withdrawn before', off = {fates = true}},
    {'12 what is below a mark is read', at = 'Redis lost', off = {touched = true}},
    {'12 its order is in doubt', at = 'Redis lost', scripts = {{'fill', "how == 'careful' and 'order' or ''", "''"}}},
    {'12 its goals are in doubt', at = 'Redis lost', scripts = {{'fill', "if how == 'careful' then", "if false then"}}},
    {'12 no mark: to the end', at = 'Redis lost, the group is reset', off = {no_mark = true}},
    {'13 an exact entry is known', at = 'Redis lost, an order waits',
     scripts = {{'acquire', "or (filled_by and entry.epoch == filled_by)", ""}}},
    {'13 careful wins', at = 'Redis lost, an order waits', budget = budget{losses = 1, waits = 1, moves = 1},
     scripts = {{'fill', "'exact' and not filled", "'exact'"}}},
    {'14 another epoch', at = 'Redis lost, an older version of the pusher rebuilds',
     scripts = {{'acquire', "elseif known and order and not certain then", "elseif false then"}}},
    {'15 absent, where an older version filled in', at = 'Redis lost, an older version of the pusher rebuilds',
     scripts = {{'acquire', "filled_by and 0 or whole(epoch) + 600000", "0"}}},
    {'15 absent is new', at = 'Redis lost', scripts = {{'acquire', "if order and tonumber(ARGV[3]) < horizon", "if order"}}},
}

function M.scenario(name)
    for _, scenario in ipairs(M.scenarios) do
        if scenario.name == (name or 'one order') then
            return scenario
        end
    end
    error('no scenario ' .. name)
end

return M
