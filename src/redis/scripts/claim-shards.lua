#!lua flags=allow-oom
--[[
  One beat of a scheduler: it registers, renews what it owns, gives up what exceeds its fair share, and takes free shards.

  KEYS[1]   schedulers (sorted set: scheduler -> when its registration ends)
  KEYS[2]   meta
  then      own:<shard> of every shard, then seq:<shard> of every shard
  ARGV[1]   scheduler's id
  ARGV[2]   lease in ms
  ARGV[3]   number of shards
  ARGV[4]   a fresh token for whatever is taken now
  then      per shard that it believes to own, three each: shard, token, number of its last commit

  Returns   { now in ms, history id or "", kept, released, taken }, the last three being lists of shards.
            A shard that was asked for and is in none of them is lost.
]]
local count = tonumber(ARGV[3])
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local function own(shard) return KEYS[3 + shard] end
local function sequence(shard) return KEYS[3 + count + shard] end

redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
redis.call("ZADD", KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
local fair = math.ceil(count / redis.call("ZCARD", KEYS[1]))

local kept, released, taken = {}, {}, {}
for i = 5, #ARGV, 3 do
  local shard = tonumber(ARGV[i])
  if redis.call("GET", own(shard)) == ARGV[i + 1] then
    if (redis.call("HGET", sequence(shard), "n") or "0") ~= ARGV[i + 2] then
      -- States were rolled back under this owner: it starts anew, with a new token.
      redis.call("DEL", own(shard))
    elseif #kept >= fair then
      redis.call("DEL", own(shard))
      released[#released + 1] = shard
    else
      redis.call("PEXPIRE", own(shard), ARGV[2])
      kept[#kept + 1] = shard
    end
  end
end

if #kept < fair and #released == 0 then
  for shard = 0, count - 1 do
    if #kept + #taken >= fair then break end
    if redis.call("SET", own(shard), ARGV[4], "NX", "PX", ARGV[2]) then
      taken[#taken + 1] = shard
    end
  end
end

return { now, redis.call("HGET", KEYS[2], "history") or "", kept, released, taken }
