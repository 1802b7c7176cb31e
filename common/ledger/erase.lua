-- erase: the entry of a contact is removed, because a person asked for it. The contact is looked up before it is made anyway.
-- An entry that somebody works on, or whose create is in doubt, stays: without it the create could be repeated before the
-- contact is visible. Answer: OK | BUSY | LOST, writes
if not read_marker() then
    return {'LOST', '0'}
end
local entry = redis.call('HMGET', KEYS[2], 'lease', 'doubt')
if not entry[1] then
    return {'OK', '0'}
end
if entry[2] or (whole(entry[1]) or 0) > now_ms() then
    return {'BUSY', '0'}
end
local writes = count_write()
redis.call('DEL', KEYS[2])
return {'OK', writes}
