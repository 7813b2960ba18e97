#!lua
--[[
  Founds the installation in an empty Redis, as the last step of its initialisation.

  KEYS[1]  meta
  ARGV[1]  installation id   ARGV[2]  shards   ARGV[3]  protocol

  Returns  the installation id that counts now: the given one, or the one that was there already
]]
local known = redis.call("HGET", KEYS[1], "installation")
if known then return known end
redis.call("HSET", KEYS[1], "installation", ARGV[1], "shards", ARGV[2], "protocol", ARGV[3])
return ARGV[1]
