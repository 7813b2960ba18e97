import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { createRedis } from "../../src/redis/connection.ts";
import { type PrivateRedis, type PrivateRedisOptions, startPrivateRedis } from "../../src/serve/private-redis.ts";
import { findByArgument } from "../../src/serve/process-list.ts";
import { newFolder } from "../support/folder.ts";

const started: PrivateRedis[] = [];
const { signal } = new AbortController();

afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()));
});

function optionsFor(folder = join(newFolder("my redis"), "redis")): PrivateRedisOptions {
  return {
    folder,
    searchPath: process.env["PATH"] ?? "",
    policy: { fsync: "always", maxMemoryBytes: 1024 ** 3 },
    log: pino({ level: "silent" }),
  };
}

async function start(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const redis = await startPrivateRedis(options, signal);
  started.push(redis);
  return redis;
}

async function ask(redis: PrivateRedis, ...command: [string, ...string[]]): Promise<unknown> {
  const connection = createRedis(redis.url, "commands");
  return await connection.call(...command).finally(() => connection.disconnect());
}

describe("the private Redis", () => {
  it("keeps everything on disk, evicts nothing, and is closed to other users", async () => {
    const options = optionsFor();
    const redis = await start(options);
    expect(await ask(redis, "CONFIG", "GET", "appendonly")).toEqual(["appendonly", "yes"]);
    expect(await ask(redis, "CONFIG", "GET", "appendfsync")).toEqual(["appendfsync", "always"]);
    expect(await ask(redis, "CONFIG", "GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    expect(await ask(redis, "CONFIG", "GET", "port")).toEqual(["port", "0"]);
    expect((await stat(options.folder)).mode & 0o777).toBe(0o700);
  });

  it("comes back with its data after it was stopped, and after it was killed", async () => {
    const options = optionsFor();
    const first = await start(options);
    await ask(first, "SET", "a", "1");
    await first.stop();
    const second = await start(options);
    await ask(second, "SET", "b", "2");
    process.kill(second.pid, "SIGKILL");
    await second.ended;
    expect(await ask(await start(options), "MGET", "a", "b")).toEqual(["1", "2"]);
  });

  it("is taken over where it runs already, with the durability that is asked for now", async () => {
    const options = optionsFor();
    const first = await start({ ...options, policy: { fsync: "everysec", maxMemoryBytes: 1024 ** 2 } });
    const second = await start(options);
    expect(second).toMatchObject({ pid: first.pid, url: first.url, adopted: true });
    expect(await ask(second, "CONFIG", "GET", "appendfsync")).toEqual(["appendfsync", "always"]);
    expect(await ask(second, "CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", String(1024 ** 3)]);
    expect(await findByArgument(join(options.folder, "redis.conf"))).toEqual([first.pid]);
    await second.stop();
    await first.ended;
  });

  it("is ended and started anew where the one that runs does not answer", { timeout: 60_000 }, async () => {
    const options = optionsFor();
    const first = await start(options);
    await ask(first, "SET", "a", "1");
    process.kill(first.pid, "SIGSTOP");
    const second = await start(options);
    await first.ended;
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second, "GET", "a")).toBe("1");
  });

  it("listens on loopback with a password where its folder's path is too long for a socket", async () => {
    const options = optionsFor(join(newFolder("x".repeat(100)), "redis"));
    const redis = await start(options);
    expect(redis.url).toMatch(/^redis:\/\/:[\w-]{32}@127\.0\.0\.1:\d+$/);
    const open = createRedis(redis.url.replace(/:[^:]*@/, ""), "commands");
    await expect(open.get("a")).rejects.toThrow(/NOAUTH/);
    open.disconnect();
    await redis.stop();
    expect((await start(options)).url).toBe(redis.url);
  });

  it("says what its log says when it does not start", async () => {
    const options = optionsFor();
    await (await start(options)).stop();
    const { readdirSync, writeFileSync } = await import("node:fs");
    const aof = join(options.folder, "appendonlydir");
    writeFileSync(join(aof, readdirSync(aof).find((name) => name.endsWith(".manifest")) ?? ""), "rubbish\n");
    await expect(start(options)).rejects.toThrow(/did not start .*redis\.log.*manifest/i);
    expect(await findByArgument(join(options.folder, "redis.conf"))).toEqual([]);
  });

  it("leaves no server behind when the start is called off", async () => {
    const options = optionsFor();
    const called = new AbortController();
    const starting = startPrivateRedis(options, called.signal);
    called.abort();
    await expect(starting).rejects.toThrow(/abort/);
    expect(await findByArgument(join(options.folder, "redis.conf"))).toEqual([]);
  });

  it("never has its password among its arguments", async () => {
    const redis = await start(optionsFor(join(newFolder("x".repeat(100)), "redis")));
    const password = new URL(redis.url).password;
    expect(await readFile(`/proc/${redis.pid}/cmdline`, "utf8")).not.toContain(password);
  });
});
