#!lua flags=allow-oom
--[[
  A drained executor says good-bye: its heartbeat ends, and its actor hears why.

  KEYS[1] executor:<id>   KEYS[2] executor:<id>:alive   KEYS[3] executor:<id>:todo   KEYS[4] inbox of the pool's shard
  ARGV[1] incarnation     ARGV[2] mail for the executor's actor (JSON)

  Returns  { "left" | "busy" | "superseded" | "lost" | "unknown", time in ms }   busy: there is something to do after all
]]
local record = redis.call("HMGET", KEYS[1], "incarnation", "life")
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if not record[1] then return { "unknown", now } end
if record[1] ~= ARGV[1] then return { "superseded", now } end
if record[2] == "lost" then return { "lost", now } end
if redis.call("EXISTS", KEYS[3]) == 1 then return { "busy", now } end
redis.call("DEL", KEYS[2])
redis.call("XADD", KEYS[4], "*", "m", ARGV[2])
return { "left", now }
