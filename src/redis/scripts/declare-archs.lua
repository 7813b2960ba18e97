#!lua flags=allow-oom
--[[
  An executor's platform has other architectures now: its record says so, and its actor hears of it.

  KEYS[1] executor:<id>   KEYS[2] inbox of the pool's shard
  ARGV[1] incarnation     ARGV[2] description (JSON)     ARGV[3] mail for the executor's actor (JSON)

  Returns  { "declared" | "superseded" | "lost" | "unknown", time in ms }
]]
local record = redis.call("HMGET", KEYS[1], "incarnation", "life")
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if not record[1] then return { "unknown", now } end
if record[1] ~= ARGV[1] then return { "superseded", now } end
if record[2] == "lost" then return { "lost", now } end
redis.call("HSET", KEYS[1], "description", ARGV[2])
redis.call("XADD", KEYS[2], "*", "m", ARGV[3])
return { "declared", now }
