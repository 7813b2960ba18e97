import { afterEach, expect, it } from "vitest";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { type Serving, serve, temporaryFolder } from "./installation.ts";

let redis: TestRedis | undefined;
let serving: Serving | undefined;
let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;

afterEach(async () => {
  await serving?.stop();
  await redis?.stop();
  await folder?.remove();
});

it("a scheduler ends when it is told to, also while Redis is away", { timeout: 90_000 }, async () => {
  folder = await temporaryFolder();
  redis = await startRedis();
  const env = { OSTLER_REDIS_URL: redis.url, OSTLER_DATA_DIR: folder.path, OSTLER_DURABILITY: "everysec" };
  const scheduler = serve(["--roles", "scheduler"], env);
  serving = scheduler;
  await until("it owns its shards", () => scheduler.output().includes("took shards over"), 30_000);
  redis.kill("SIGKILL");
  await until("it has noticed", () => scheduler.output().includes("interrupted"), 30_000);
  scheduler.kill("SIGTERM");
  await until("it is gone", () => scheduler.process.exitCode !== null || scheduler.process.signalCode !== null, 40_000);
  expect(scheduler.process.signalCode).toBeNull();
});
