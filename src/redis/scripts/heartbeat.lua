#!lua flags=allow-oom
--[[
  Renews an executor's heartbeat if its incarnation is the record's. An expired key is made again: only a lost one stays away.

  KEYS[1] executor:<id>   KEYS[2] executor:<id>:alive
  ARGV[1] incarnation     ARGV[2] ttl in ms

  Returns  { "ok", time in ms, life, "1" if it is to leave when empty }
           { "superseded" | "lost" | "unknown", time in ms }   replaced by another process | revoked | no record
]]
local record = redis.call("HMGET", KEYS[1], "incarnation", "life", "leave")
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if not record[1] then return { "unknown", now } end
if record[1] ~= ARGV[1] then return { "superseded", now } end
if record[2] == "lost" then return { "lost", now } end
redis.call("SET", KEYS[2], ARGV[1], "PX", ARGV[2])
return { "ok", now, record[2] or "active", record[3] or "" }
