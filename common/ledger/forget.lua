-- forget: a cached id is of nothing any more, so the contact, product or tag is to be looked up again; also by its owner.
-- ARGV: step, the id that was refused. Answer: OK | LOST, writes
if not read_marker() then
    return {'LOST', '0'}
end
local step = 's:' .. ARGV[1]
local entry = redis.call('HMGET', KEYS[2], 'state', step)
if (entry[1] ~= 'done' and entry[1] ~= 'open') or entry[2] ~= ARGV[2] then
    return {'OK', '0'}
end
local writes = count_write()
write_entry({state = 'open', [step] = false})
redis.call('PERSIST', KEYS[2])
return {'OK', writes}
