#!lua flags=allow-oom
--[[
  A scheduler leaves: it gives up the shards that are still its own, and its registration.

  KEYS[1]   schedulers
  then      own:<shard> of each shard
  ARGV[1]   scheduler's id
  then      the token of each shard, in the same order

  Returns   how many shards were given up
]]
redis.call("ZREM", KEYS[1], ARGV[1])
local released = 0
for i = 2, #KEYS do
  if redis.call("GET", KEYS[i]) == ARGV[i] then
    redis.call("DEL", KEYS[i])
    released = released + 1
  end
end
return released
