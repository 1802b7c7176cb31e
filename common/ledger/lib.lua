-- lib.lua - what the ledger's scripts share; it stands in front of each of them. KEYS[1] is the marker, KEYS[2] the
-- entry. Keys, fields and answers are explained in docs/ledger.md. Plain Lua 5.1 and redis.call only.

local function now_ms()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A whole number >= 0 that a double holds exactly, or nil. tonumber() alone would take '0x1f', '1e9' and 'nan'.
local function whole(text)
    if type(text) == 'string' and #text <= 15 and string.find(text, '^%d+$') then
        return tonumber(text)
    end
    return nil
end

local function decimal(number)
    return string.format('%.0f', number)
end

-- The epoch (text), for how long entries are kept and since when this ledger has been written to (ms), and the token of
-- the rebuild that wrote the marker; or nil where there is no usable marker: then the answer is LOST.
local function read_marker()
    local ok, marker = pcall(redis.call, 'HMGET', KEYS[1], 'born_at', 'keep', 'writes', 'since', 'filled_by')
    if not ok and not string.find(type(marker) == 'table' and marker.err or tostring(marker), 'WRONGTYPE', 1, true) then
        redis.call('HMGET', KEYS[1], 'born_at') -- not the marker's fault but the server's, which says so once more
    end
    if ok and whole(marker[1]) and whole(marker[2]) and whole(marker[3]) then
        return marker[1], whole(marker[2]), whole(marker[4]) or 0, marker[5]
    end
    return nil
end

-- Every script that changes something counts, so that a client can tell when the server lost acknowledged writes.
local function count_write()
    return decimal(redis.call('HINCRBY', KEYS[1], 'writes', 1))
end

-- What is wrong with an entry, or nil. Somebody else wrote under our key: that order is parked, the others go on.
local function damage(entry)
    local state = entry.state
    if state ~= 'open' and state ~= 'done' and state ~= 'dead' and state ~= 'withdrawn' then
        return 'DAMAGED state'
    elseif not whole(entry.modified_at) then
        return 'DAMAGED modified_at'
    elseif not whole(entry.lease) then
        return 'DAMAGED lease'
    elseif entry.doubt and not whole(entry.doubt_at) then
        return 'DAMAGED doubt_at'
    elseif entry.held and not whole(entry.held) then
        return 'DAMAGED held'
    end
    return nil
end

-- The fields of one write: set.name = text, or false to remove the field.
local function write_entry(set)
    local puts, dels = {}, {}
    for name, value in pairs(set) do
        if value then
            puts[#puts + 1] = name
            puts[#puts + 1] = value
        else
            dels[#dels + 1] = name
        end
    end
    if #puts > 0 then
        redis.call('HSET', KEYS[2], unpack(puts))
    end
    if #dels > 0 then
        redis.call('HDEL', KEYS[2], unpack(dels))
    end
end
