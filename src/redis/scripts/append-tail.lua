#!lua
--[[
  Append bytes to the live tail of a log. An entry's id is `<address after its last byte>-0`, so a repeated append
  is recognised, and a reader at address N reads on with XREAD from id N-0. (Not allow-oom: when memory is short, the
  executor keeps the bytes in its spool.)

  KEYS[1]  tail stream of the log
  KEYS[2]  zset of all tails: when (ms) each was last appended to
  ARGV[1]  the tail's member of that zset
  ARGV[2]  address of the first byte
  ARGV[3]  address after the last byte
  ARGV[4]  when the bytes were read from the step (ms)
  ARGV[5]  the bytes
  ARGV[6]  address up to which segments in ost hold the log: only what they hold is ever trimmed
  ARGV[7]  bytes to keep at most of what segments hold
  ARGV[8]  bytes that all tails may take together
  ARGV[9]  ttl of the tail (ms)

  Returns  1 appended | 0 these bytes were there already
]]
local last = redis.call("XREVRANGE", KEYS[1], "+", "-", "COUNT", 1)
local stop = tonumber(ARGV[3])
if last[1] and tonumber(string.match(last[1][1], "^(%d+)")) >= stop then
  return 0
end

local time = redis.call("TIME")
redis.call("ZADD", KEYS[2], time[1] .. string.format("%03d", math.floor(time[2] / 1000)), ARGV[1])
local share = math.floor(tonumber(ARGV[8]) / redis.call("ZCARD", KEYS[2]))
local keep = math.min(tonumber(ARGV[7]), share)
local trimTo = math.max(0, math.min(stop - keep, tonumber(ARGV[6])))
redis.call("XADD", KEYS[1], "MINID", string.format("%.0f-0", trimTo), ARGV[3] .. "-0", "o", ARGV[2], "t", ARGV[4], "b", ARGV[5])
redis.call("PEXPIRE", KEYS[1], ARGV[9])
return 1
