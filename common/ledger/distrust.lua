-- distrust: a backup was restored, so what was acknowledged may be gone. As hello does when it finds that out by itself.
-- Answer: OK, writes
local epoch = read_marker()
if epoch then
    local writes = redis.call('HINCRBY', KEYS[1], 'writes', 1000000)
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'was', epoch, 'writes', decimal(writes))
end
return {'OK', '0'}
