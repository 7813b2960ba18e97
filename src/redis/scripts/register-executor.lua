#!lua
--[[
  Gives an executor its record under a new incarnation, and tells its actor.

  KEYS[1] executor:<id>   KEYS[2] executor:<id>:alive   KEYS[3] executor:<id>:todo   KEYS[4] executors   KEYS[5] inbox of the pool's shard
  ARGV[1]  executor id    ARGV[2]  new incarnation      ARGV[3]  pool
  ARGV[4]  incarnation whose process the caller found dead on its own host ("" if none): its heartbeat counts no longer
  ARGV[5]  ttl of the heartbeat in ms                   ARGV[6]  mail for the executor's actor (JSON)
  then     fields and values of the record

  Returns  { "registered", time in ms, "new" | "inherited" | "lost-before" }
           { "alive", ms that the other process's heartbeat still lasts }
           { "other-pool", pool }   the id is taken by an executor of another pool
]]
local record = redis.call("HMGET", KEYS[1], "incarnation", "life", "pool")
local known = record[1]
if known and record[3] ~= ARGV[3] then
  return { "other-pool", record[3] }
end
local alive = redis.call("GET", KEYS[2])
if alive and alive ~= ARGV[4] then
  return { "alive", redis.call("PTTL", KEYS[2]) }
end

local how = "new"
if known then
  how = record[2] == "lost" and "lost-before" or "inherited"
end
if how == "inherited" then
  local todo = redis.call("HGETALL", KEYS[3])
  for i = 1, #todo, 2 do
    if todo[i + 1] ~= "stop" then
      redis.call("HSET", KEYS[3], todo[i], "run:" .. ARGV[2])
    end
  end
else
  redis.call("HSET", KEYS[1], "life", "active")
  redis.call("HDEL", KEYS[1], "leave")
end

local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
redis.call("HSET", KEYS[1], "incarnation", ARGV[2], "registeredAt", now, unpack(ARGV, 7))
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[5])
redis.call("SADD", KEYS[4], ARGV[1])
redis.call("XADD", KEYS[5], "*", "m", ARGV[6])
return { "registered", now, how }
