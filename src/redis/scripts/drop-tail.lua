#!lua flags=allow-oom
--[[
  Remove a log's tail whose bytes segments hold by now, unless something was appended meanwhile.

  KEYS[1]  tail stream of the log   KEYS[2]  zset of all tails
  ARGV[1]  the tail's member of that zset   ARGV[2]  id of the last entry that segments hold, "" if there is no entry

  Returns  1 removed | 0 it has grown
]]
local last = redis.call("XREVRANGE", KEYS[1], "+", "-", "COUNT", 1)
if last[1] and last[1][1] ~= ARGV[2] then return 0 end
redis.call("DEL", KEYS[1])
redis.call("ZREM", KEYS[2], ARGV[1])
return 1
