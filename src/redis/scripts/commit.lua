#!lua flags=allow-oom
--[[
  Applies one batch of decisions, all or nothing (invariant A1).

  KEYS      per shard, three each: own:<shard>, seq:<shard>, in:<shard>.
            The keys of the writes are in ARGV; they all share the installation's hash tag, hence its slot.
  ARGV[1]   number of shards
  ARGV[2]   this commit's random id
  ARGV[3]   number of keys that must be absent
  then      per shard, four each: fencing token, this commit's number in the shard's chain, lease in ms,
            id of the last inbox entry consumed ("" if none)
  then      the keys that must be absent
  then      the writes, each as: number of words, words. A word list is a Redis command, or one of
              @events KEY (LIST JSON)…    appends each run's events (a JSON list) to its own list ("": to none), and all of
                                        them to the event stream, a field "e" per run; its id is what replies carry
            @reply KEY ID JSON EVENTS   appends to a reply stream, trimmed and expiring
              @readdress KEY FIELD VALUE  sets FIELD if it is there and not "stop"
            @stop KEY FIELD             sets FIELD to "stop" if it is there
              @stop-all KEY               sets every field to "stop"
              @remove-executor KEY INCARNATION EXECUTORS ID MORE…
                                          deletes the record and the other keys, and ID from the set EXECUTORS,
                                          unless the record is one of another incarnation

  Returns   { "committed", time in ms }
            { "repeated", time in ms }       this very commit was applied before
            { "lost", shard's position }     another owner, or none, holds the lease
            { "broken", shard's position }   the chain is not where this commit expects it: states were rolled back
            { "present", key }               a key that must be absent is there
]]
local shards = tonumber(ARGV[1])
local id = ARGV[2]
local absent = tonumber(ARGV[3])
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local at = 4
for i = 1, shards do
  local key = (i - 1) * 3
  local number = tonumber(ARGV[at + 1])
  local chain = redis.call("HMGET", KEYS[key + 2], "n", "id")
  local stored = tonumber(chain[1] or "0")
  if stored == number and chain[2] == id then
    return { "repeated", now }
  end
  if redis.call("GET", KEYS[key + 1]) ~= ARGV[at] then
    return { "lost", i }
  end
  if stored ~= number - 1 then
    return { "broken", i }
  end
  local entry = ARGV[at + 3]
  if entry ~= "" and #redis.call("XRANGE", KEYS[key + 3], entry, entry) == 0 then
    return { "broken", i }
  end
  at = at + 4
end

for i = 1, absent do
  if redis.call("EXISTS", ARGV[at]) == 1 then
    return { "present", ARGV[at] }
  end
  at = at + 1
end

for i = 1, shards do
  local key = (i - 1) * 3
  local arg = 4 + (i - 1) * 4
  redis.call("HSET", KEYS[key + 2], "n", ARGV[arg + 1], "id", id)
  redis.call("PEXPIRE", KEYS[key + 1], ARGV[arg + 2])
  local entry = ARGV[arg + 3]
  if entry ~= "" then
    local ms, sequence = string.match(entry, "^(%d+)-(%d+)$")
    redis.call("XTRIM", KEYS[key + 3], "MINID", ms .. "-" .. string.format("%d", tonumber(sequence) + 1))
  end
end

local event = ""
local last = #ARGV
while at <= last do
  local words = tonumber(ARGV[at])
  local command = ARGV[at + 1]
  local key = ARGV[at + 2]
  if command == "@events" then
    -- The texts go on as they came: Lua hashes every string that it makes, byte by byte. Few enough for one unpack.
    local all = {}
    for i = at + 3, at + words, 2 do
      if ARGV[i] ~= "" then
        redis.call("RPUSH", ARGV[i], ARGV[i + 1])
      end
      all[#all + 1] = "e"
      all[#all + 1] = ARGV[i + 1]
      if #all == 4000 or i + 1 == at + words then
        event = redis.call("XADD", key, "*", unpack(all))
        all = {}
      end
    end
  elseif command == "@reply" then
    if event == "" then
      -- Nothing happened that has an event: the reply names the newest one there is.
      local newest = redis.call("XREVRANGE", ARGV[at + 5], "+", "-", "COUNT", 1)
      event = newest[1] and newest[1][1] or "0-0"
    end
    redis.call("XADD", key, "MAXLEN", "~", "10000", "*", "id", ARGV[at + 3], "reply", ARGV[at + 4], "event", event)
    redis.call("PEXPIRE", key, 600000)
  elseif command == "@readdress" then
    local todo = redis.call("HGET", key, ARGV[at + 3])
    if todo and todo ~= "stop" then
      redis.call("HSET", key, ARGV[at + 3], ARGV[at + 4])
    end
  elseif command == "@stop" then
    if redis.call("HEXISTS", key, ARGV[at + 3]) == 1 then
      redis.call("HSET", key, ARGV[at + 3], "stop")
    end
  elseif command == "@stop-all" then
    for _, field in ipairs(redis.call("HKEYS", key)) do
      redis.call("HSET", key, field, "stop")
    end
  elseif command == "@remove-executor" then
    local incarnation = redis.call("HGET", key, "incarnation")
    if not incarnation or incarnation == ARGV[at + 3] then
      redis.call("SREM", ARGV[at + 4], ARGV[at + 5])
      redis.call("DEL", key, unpack(ARGV, at + 6, at + words))
    end
  else
    redis.call(unpack(ARGV, at + 1, at + words))
  end
  at = at + words + 1
end

return { "committed", now }
