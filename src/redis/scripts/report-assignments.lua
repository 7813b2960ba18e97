#!lua flags=allow-oom
--[[
  Appends an executor's reports to the inboxes of their runs, if its incarnation is current.

  KEYS[1] executor:<id>   then inboxes of shards
  ARGV[1] incarnation     then the mail of each inbox, in order (JSON)

  Returns  { "reported" | "superseded" | "lost" | "unknown", time in ms }
]]
local record = redis.call("HMGET", KEYS[1], "incarnation", "life")
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
if not record[1] then return { "unknown", now } end
if record[1] ~= ARGV[1] then return { "superseded", now } end
if record[2] == "lost" then return { "lost", now } end
for i = 2, #KEYS do
  redis.call("XADD", KEYS[i], "*", "m", ARGV[i])
end
return { "reported", now }
