import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { openOutlets } from "../../src/http/outlets.ts";
import { newFolder } from "../support/folder.ts";
import { startRedis } from "../support/redis.ts";

it("says at the start that Redis evicts keys, and starts all the same", async () => {
  const server = await startRedis(["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
  onTestFinished(server.stop);
  const lines: string[] = [];
  const take = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const env = { OSTLER_REDIS_URL: server.url, OSTLER_DATA_DIR: newFolder("data"), OSTLER_DURABILITY: "everysec" };
  const closers: (() => Promise<void> | void)[] = [];
  await openOutlets({ config: parseConfig({ env }), log: pino(take), onClose: (close) => closers.push(close) });
  for (const close of closers.reverse()) await close();

  const said = lines.map((line) => JSON.parse(line)).filter(({ check }) => check !== undefined);
  expect(said).toEqual([expect.objectContaining({ level: 50, check: "redis.eviction", found: expect.stringContaining("allkeys-lru") })]);
});
