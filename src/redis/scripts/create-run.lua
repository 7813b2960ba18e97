#!lua
--[[
  Creates a run: everything that a 201 promises, without any owner being there.

  KEYS[1] meta   KEYS[2] idem:<principal>:<key>   KEYS[3] number:<root>   KEYS[4] run:<id>   KEYS[5] run:<id>:def
  KEYS[6] run:<id>:events   KEYS[7] events   KEYS[8] index:rows   KEYS[9] in:<shard>
  ARGV[1]  history id that the caller was told
  ARGV[2]  run id            ARGV[3]  the id's time in ms      ARGV[4]  greatest age of an id in ms
  ARGV[5]  HMAC of the request under its idempotency key, "" without one   ARGV[6]  how long it counts, ms
  ARGV[7]  definition, encoded
  ARGV[8]  first event, as a JSON list
  ARGV[9]  and ARGV[10]: the index row as a JSON list, up to and from its number
  ARGV[11] and ARGV[12]: the owner's mail as a JSON list, up to and from the number
  then     fields and values of the run's summary

  Returns  { "created", number, event id }   also when this very call is repeated, however late (the event id is "" then)
           { "existing", run id }            the idempotency key has made that run
           { "idempotency_conflict" }        the idempotency key was used with another body
           { "maintenance" } | { "history" } (the caller must check the installation again) | { "stale" } (too late: nothing was done)
]]
local meta = redis.call("HMGET", KEYS[1], "history", "maintenance")
if meta[1] ~= ARGV[1] then return { "history" } end

local idempotent = ARGV[5] ~= ""
if idempotent then
  local known = redis.call("HMGET", KEYS[2], "body", "run")
  if known[1] and known[1] ~= ARGV[5] then return { "idempotency_conflict" } end
  if known[2] and known[2] ~= ARGV[2] then return { "existing", known[2] } end
end
if redis.call("EXISTS", KEYS[4]) == 1 then
  return { "created", tonumber(redis.call("HGET", KEYS[4], "number") or "0"), "" }
end
if meta[2] == "1" then return { "maintenance" } end
local clock = redis.call("TIME")
if tonumber(clock[1]) * 1000 - tonumber(ARGV[3]) > tonumber(ARGV[4]) then return { "stale" } end

local number = redis.call("INCR", KEYS[3])
local summary = { "HSET", KEYS[4], "number", number }
for i = 13, #ARGV do summary[#summary + 1] = ARGV[i] end
redis.call(unpack(summary))
redis.call("SET", KEYS[5], ARGV[7])
redis.call("RPUSH", KEYS[6], ARGV[8])
local event = redis.call("XADD", KEYS[7], "*", "e", ARGV[8])
redis.call("XADD", KEYS[8], "*", "r", ARGV[9] .. string.format("%d", number) .. ARGV[10])
redis.call("XADD", KEYS[9], "*", "m", ARGV[11] .. string.format("%d", number) .. ARGV[12])
if idempotent then
  redis.call("HSET", KEYS[2], "body", ARGV[5], "run", ARGV[2])
  redis.call("PEXPIRE", KEYS[2], ARGV[6])
end
return { "created", number, event }
