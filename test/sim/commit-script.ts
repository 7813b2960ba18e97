import type { Keys } from "../../src/redis/keys.ts";
import type { Commit, CommitReply, Write } from "../../src/redis/scripts/commit.ts";
import type { RedisCommands } from "./redis-data.ts";

/** What `commit.lua` does, on a simulated Redis. */
export function applyCommit(redis: RedisCommands, now: number, keys: Keys, commit: Commit): CommitReply {
  for (const { shard, token, number, consumed } of commit.shards) {
    const chain = redis.hash(keys.sequence(shard));
    const stored = Number(chain.get("n") ?? 0);
    if (stored === number && chain.get("id") === commit.id) return { type: "repeated", now };
    if (redis.get(keys.own(shard)) !== token) return { type: "lost", shard };
    if (stored !== number - 1) return { type: "broken", shard };
    if (consumed !== undefined && !redis.entries(keys.inbox(shard)).some(({ id }) => id === consumed)) return { type: "broken", shard };
  }
  const present = commit.absent.find((key) => redis.exists(key));
  if (present !== undefined) return { type: "present", key: present };
  for (const { shard, token, number, consumed } of commit.shards) {
    redis.hset(keys.sequence(shard), "n", number, "id", commit.id);
    redis.set(keys.own(shard), token, commit.leaseMs);
    if (consumed !== undefined) redis.trimThrough(keys.inbox(shard), consumed);
  }
  for (const write of commit.writes) applyWrite(redis, write);
  return { type: "committed", now };
}

type Verb = (redis: RedisCommands, key: string, words: readonly string[]) => void;

const nothing = () => {};

/** Redis's commands and the script's own verbs, as far as commits use them. */
const verbs: Readonly<Record<string, Verb>> = {
  HSET: (redis, key, words) => redis.hset(key, ...words),
  HDEL: (redis, key, words) => redis.hdel(key, ...words),
  ZADD: (redis, key, words) => redis.zadd(key, ...words),
  ZREM: (redis, key, words) => redis.zrem(key, ...words),
  DEL: (redis, key, words) => redis.del(key, ...words),
  RPUSH: (redis, key, [text = ""]) => redis.rpush(key, text),
  PEXPIREAT: (redis, key, [at]) => redis.expireAt(key, Number(at)),
  XADD: (redis, key, words) => redis.xadd(key, ...words.slice(words.indexOf("*") + 1)),
  PUBLISH: nothing,
  "@events": (redis, key, words) => appendEvents(redis, key, words),
  "@reply": nothing,
  "@readdress": (redis, key, [field = "", value = ""]) => {
    const todo = redis.hash(key).get(field);
    if (todo !== undefined && todo !== "stop") redis.hset(key, field, value);
  },
  "@stop": (redis, key, [field = ""]) => {
    if (redis.hash(key).has(field)) redis.hset(key, field, "stop");
  },
  "@stop-all": (redis, key) => {
    for (const field of [...redis.hash(key).keys()]) redis.hset(key, field, "stop");
  },
  "@remove-executor": (redis, key, words) => removeExecutor(redis, key, words),
};

function appendEvents(redis: RedisCommands, stream: string, words: readonly string[]): void {
  const all: string[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) {
    const [list = "", text = ""] = words.slice(i, i + 2);
    if (list !== "") redis.rpush(list, text);
    all.push("e", text);
  }
  redis.xadd(stream, ...all);
}

function applyWrite(redis: RedisCommands, [command, key, ...words]: Write): void {
  const verb = verbs[String(command)];
  if (!verb) throw new Error(`the simulated Redis does not know ${command}`);
  verb(redis, String(key), words.map(String));
}

function removeExecutor(redis: RedisCommands, record: string, [incarnation, executors = "", id = "", ...more]: readonly string[]): void {
  const current = redis.hash(record).get("incarnation");
  if (current !== undefined && current !== incarnation) return;
  redis.srem(executors, id);
  redis.del(record, ...more);
}
