#!lua flags=allow-oom
--[[
  Everything that Redis knows of a run, at one moment.

  KEYS[1] run:<id>   KEYS[2] run:<id>:def   KEYS[3] run:<id>:tasks   KEYS[4] state:<shard>
  ARGV[1]  the run actor's field   ARGV[2]  "1" to have the definition too

  Returns  { "live", summary, state or "", tasks, now in ms, definition or "" } with summary and tasks as flat lists
           { "archived" }   only its tombstone is left: read it from ost
           { "unknown" }
]]
local summary = redis.call("HGETALL", KEYS[1])
if #summary == 0 then return { "unknown" } end
if summary[1] == "archived" then return { "archived" } end
local clock = redis.call("TIME")
local definition = ARGV[2] == "1" and redis.call("GET", KEYS[2]) or ""
return {
  "live", summary, redis.call("HGET", KEYS[4], ARGV[1]) or "", redis.call("HGETALL", KEYS[3]),
  tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000), definition or "",
}
