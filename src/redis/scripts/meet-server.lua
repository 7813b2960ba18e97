#!lua flags=allow-oom
--[[
  Run by every process on every new connection, before anything else: does the installation still live on the same server?
  A server with another run id or replication id may have lost its last second, so it starts a new history.

  KEYS[1]  meta
  ARGV[1]  the server's run id and replication id   ARGV[2]  a fresh history id

  Returns  { installation, history, shards, protocol } or { } if nothing is founded yet
]]
local meta = redis.call("HMGET", KEYS[1], "installation", "server", "history", "shards", "protocol")
if not meta[1] then return {} end
if meta[2] ~= ARGV[1] then
  redis.call("HSET", KEYS[1], "server", ARGV[1], "history", ARGV[2])
  meta[3] = ARGV[2]
end
return { meta[1], meta[3], tonumber(meta[4]), tonumber(meta[5]) }
