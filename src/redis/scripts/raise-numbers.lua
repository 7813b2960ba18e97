#!lua
--[[
  Continues run numbers after the given ones; a number that is greater already stays.

  KEYS[i]  number:<root>   ARGV[i]  the greatest number that was given to a run of that root group

  Returns  how many were raised
]]
local raised = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call("GET", key) or "0") < tonumber(ARGV[i]) then
    redis.call("SET", key, ARGV[i])
    raised = raised + 1
  end
end
return raised
