#!lua flags=allow-oom
--[[
  An executor takes assignments on. Each is held from now on, if the incarnation is current and the one in `todo`.

  KEYS[1] executor:<id>   KEYS[2] executor:<id>:todo   KEYS[3] executor:<id>:held
  ARGV[1] incarnation     then assignment ids, at least one

  Returns  { "accepted", time in ms, per id: 1 accepted | 2 was held already | 0 not this incarnation's to run }
           { "superseded" | "lost" | "unknown", time in ms }
]]
local record = redis.call("HMGET", KEYS[1], "incarnation", "life")
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if not record[1] then return { "unknown", now } end
if record[1] ~= ARGV[1] then return { "superseded", now } end
if record[2] == "lost" then return { "lost", now } end

local expected = "run:" .. ARGV[1]
local todo = redis.call("HMGET", KEYS[2], unpack(ARGV, 2))
local held = redis.call("HMGET", KEYS[3], unpack(ARGV, 2))
local reply = { "accepted", now }
local taken = {}
for i = 2, #ARGV do
  local verdict = 0
  if todo[i - 1] == expected then
    verdict = held[i - 1] and 2 or 1
    if verdict == 1 then
      taken[#taken + 1] = ARGV[i]
      taken[#taken + 1] = now
    end
  end
  reply[#reply + 1] = verdict
end
if #taken > 0 then
  redis.call("HSET", KEYS[3], unpack(taken))
end
return reply
