#!lua
--[[
  Puts a dead letter back into its shard's inbox, and takes it off the dead ones: both or neither.

  KEYS[1] dead:<shard>   KEYS[2] in:<shard>
  ARGV[1] entry's id     ARGV[2] mail to put there (JSON)

  Returns  1 replayed | 0 there is no such entry (any more)
]]
if redis.call("XDEL", KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call("XADD", KEYS[2], "*", "m", ARGV[2])
return 1
