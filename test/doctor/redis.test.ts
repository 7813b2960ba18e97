import { expect, it, onTestFinished } from "vitest";
import type { Finding } from "../../src/doctor/finding.ts";
import { checkRedis } from "../../src/doctor/redis.ts";
import { createRedis } from "../../src/redis/connection.ts";
import type { Durability } from "../../src/redis/durability.ts";
import { startRedis } from "../support/redis.ts";

const good = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "100mb"];

/** What is found at a server with these flags, by check. */
async function look(
  flags: readonly string[],
  options: { readonly durability?: Durability; readonly now?: () => number; readonly asUser?: string } = {},
): Promise<ReadonlyMap<string, Finding>> {
  const server = await startRedis(flags);
  onTestFinished(server.stop);
  const redis = createRedis(server.url, "commands");
  onTestFinished(() => redis.disconnect());
  if (options.asUser) {
    await redis.call("ACL", "SETUSER", "ostler", "on", "nopass", "~*", "&*", ...options.asUser.split(" "));
    await redis.call("AUTH", "ostler", "");
  }
  const { durability = "acknowledged", now = Date.now } = options;
  const findings = await checkRedis({ redis, durability, heartbeatTtlMs: 20_000, now });
  return new Map(findings.map((finding) => [finding.check, finding]));
}

const statesOf = (findings: ReadonlyMap<string, Finding>) => Object.fromEntries([...findings].map(([check, { state }]) => [check, state]));

it("finds nothing wrong with a Redis as docs/operating-redis.md has it", async () => {
  const findings = await look(good);
  expect(new Set(Object.values(statesOf(findings)))).toEqual(new Set(["ok"]));
  expect([...findings.keys()]).toEqual([
    ...["redis.version", "redis.role", "redis.eviction", "redis.memory", "redis.durability", "redis.clients", "redis.clock"],
  ]);
});

it.each([
  ["evicts keys", ["--maxmemory-policy", "allkeys-lru"], "redis.eviction", "failed"],
  ["has no limit of memory", ["--maxmemory", "0"], "redis.memory", "warning"],
  ["is nearly full", ["--maxmemory", "1000000"], "redis.memory", "failed"],
  ["has no append-only file", ["--appendonly", "no"], "redis.durability", "failed"],
  ["takes few clients", ["--maxclients", "50"], "redis.clients", "warning"],
  ["cuts idle connections", ["--timeout", "30"], "redis.timeout", "warning"],
  ["is a replica", ["--replicaof", "127.0.0.1", "1"], "redis.role", "failed"],
] as const)("says so, and what to do, where Redis %s", async (_, flags, check, state) => {
  const finding = (await look([...good, ...flags])).get(check);
  expect(finding).toEqual({ check, state, message: expect.any(String), advice: expect.stringMatching(/\w/) });
});

it("measures durability by what is promised", async () => {
  const everysec = ["--appendonly", "yes", "--appendfsync", "everysec"];
  expect((await look(everysec, { durability: "everysec" })).get("redis.durability")?.state).toBe("ok");
  const acknowledged = (await look(everysec)).get("redis.durability");
  // 7.2 and Valkey have WAITAOF; older servers cannot confirm.
  expect(acknowledged?.state === "ok" || /WAITAOF/.test(acknowledged?.message ?? "")).toBe(true);
  expect((await look(good, { durability: "replicated" })).get("redis.durability")).toMatchObject({
    state: "failed",
    message: expect.stringContaining("no replica is connected"),
  });
  expect((await look([], { durability: "everysec" })).get("redis.durability")?.state).toBe("warning");
});

it("compares clocks", async () => {
  const findings = await look(good, { now: () => Date.now() - 60_000 });
  expect(findings.get("redis.clock")).toMatchObject({ state: "failed", message: expect.stringMatching(/60\.\d s ahead of/) });
});

it("goes on where a managed server refuses CONFIG", async () => {
  const findings = await look(good, { durability: "everysec", asUser: "+@all -config" });
  expect(new Set(Object.values(statesOf(findings)))).toEqual(new Set(["ok"]));
});
