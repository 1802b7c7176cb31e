-- model_redis.lua - as much of Redis as the ledger's scripts use, over plain tables, and the scripts themselves.
-- A database is {key = {field = value}} for hashes and {key = 'value'} for strings, with the lock's end in db.lock_until.
local M = {}

local db, now -- of the call that runs
local commands = {}

function commands.TIME()
    return {tostring(math.floor(now / 1000)), tostring(now % 1000 * 1000)}
end

function commands.HMGET(key, ...)
    local hash, values = db[key] or {}, {}
    for i = 1, select('#', ...) do
        values[i] = hash[select(i, ...)] or false
    end
    return values
end

function commands.HGET(key, field)
    return db[key] and db[key][field] or false
end

function commands.HGETALL(key)
    local list = {}
    for field, value in pairs(db[key] or {}) do
        list[#list + 1] = field
        list[#list + 1] = value
    end
    return list
end

function commands.HSET(key, ...)
    local hash = db[key] or {}
    db[key] = hash
    for i = 1, select('#', ...), 2 do
        hash[select(i, ...)] = tostring(select(i + 1, ...))
    end
end

function commands.HDEL(key, ...)
    local hash = db[key] or {}
    for i = 1, select('#', ...) do
        hash[select(i, ...)] = nil
    end
end

function commands.HINCRBY(key, field, by)
    local hash = db[key]
    hash[field] = string.format('%.0f', tonumber(hash[field] or 0) + by)
    return tonumber(hash[field])
end

function commands.DEL(key)
    db[key] = nil
end

function commands.EXISTS(key)
    return db[key] and 1 or 0
end

function commands.GET(key)
    return db[key] or false
end

function commands.SET(key, value, _, ttl)
    db[key] = value
    db.lock_until = now + tonumber(ttl)
end

function commands.PEXPIRE(key, ttl)
    if key == 'lock' then
        db.lock_until = now + tonumber(ttl)
    end
end

function commands.PERSIST()
end

local environment = {
    redis = {call = function(name, ...)
        return commands[name](...)
    end},
    pcall = pcall, tonumber = tonumber, tostring = tostring, type = type, pairs = pairs, ipairs = ipairs, next = next,
    select = select, unpack = unpack, math = math, string = string, table = table,
}

local function read(path)
    local file = assert(io.open(path))
    local text = file:read('*a')
    file:close()
    return text
end

-- The real scripts of a folder, with changes {script, from, to}: text that must occur.
function M.load(folder, changes)
    local texts, scripts = {}, {}
    for _, name in ipairs({'lib', 'acquire', 'step', 'hello', 'lock', 'fill', 'seal'}) do
        texts[name] = read(folder .. '/' .. name .. '.lua')
    end
    for _, change in ipairs(changes or {}) do
        local from, to = string.find(texts[change[1]], change[2], 1, true)
        assert(from, 'no such text in ' .. change[1] .. ': ' .. change[2])
        texts[change[1]] = string.sub(texts[change[1]], 1, from - 1) .. change[3] ..
                           string.sub(texts[change[1]], to + 1)
    end
    for name, text in pairs(texts) do
        scripts[name] = setfenv(assert(loadstring(texts.lib .. '\n' .. text, name)), environment)
    end
    return scripts
end

function M.run(script, database, time, keys, arguments)
    db, now = database, time
    if db.lock and db.lock_until <= now then
        db.lock = nil
    end
    environment.KEYS, environment.ARGV = keys, arguments
    local reply = script()
    assert(not reply.err, reply.err)
    return reply
end

return M
