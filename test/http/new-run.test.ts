import { randomBytes } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import { createKnownInstallation } from "../../src/http/installation.ts";
import { createNewRun, findFaults, type NewRunDeps } from "../../src/http/new-run.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { initMeta } from "../../src/redis/scripts/init-meta.ts";
import { parseDefinition } from "../../src/runs/parse-definition.ts";
import type { IndexRow } from "../../src/runs/view.ts";
import { createSealer } from "../../src/secrets.ts";
import { startRedis } from "../support/redis.ts";
import { definition, silent } from "./api.ts";

async function world(deps: Partial<NewRunDeps> = {}) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const keys = createKeys("{test}");
  const redis = createRedis(server.url, "commands");
  onTestFinished(() => redis.disconnect());
  await initMeta(redis, keys, { installation: "i", shards: 4, protocol: 1 });
  const installation = createKnownInstallation(redis, keys);
  await installation.refresh();
  const happened: string[] = [];
  const rows: IndexRow[] = [];
  const createRun = createNewRun({
    redis,
    keys,
    installation,
    sealer: createSealer(randomBytes(32)),
    confirm: async () => void happened.push("confirmed"),
    sourceExists: async () => false,
    poolAccess: {},
    allowPod: false,
    markUses: async () => void happened.push("marked"),
    list: async (row) => {
      happened.push("listed");
      rows.push(row);
    },
    log: silent,
    ...deps,
  });
  const create = () => createRun({ definition: parseDefinition(definition()), secrets: "clear" });
  return { redis, keys, installation, create, happened, rows };
}

it("lists a run before the create call returns, and only once it is durable", async () => {
  const { create, happened, rows } = await world();
  const { runId } = await create();
  expect(happened).toEqual(["marked", "confirmed", "listed"]);
  expect(rows).toMatchObject([{ runId, number: 1, phase: "queued" }]);
});

it("creates in a new history once it has asked which one it is", async () => {
  const { create, redis, keys, installation } = await world();
  const before = installation.get().history;
  await redis.hset(keys.meta, "history", "another");
  const { event } = await create();
  expect(event).toMatch(/^another\./);
  expect(before).not.toBe("another");
});

it("creates nothing while there is maintenance, and says so", async () => {
  const { create, redis, keys } = await world();
  await redis.hset(keys.meta, "maintenance", "1");
  await expect(create()).rejects.toMatchObject({ code: "maintenance" });
  expect(await redis.exists(keys.runNumber("/project/web"))).toBe(0);
});

it("promises nothing that is not durable", async () => {
  const { create, rows } = await world({
    confirm: async () => {
      throw new Error("not on disk");
    },
  });
  await expect(create()).rejects.toThrow("not on disk");
  expect(rows).toEqual([]);
});

it.each([
  true,
  false,
])("takes wishes for pods into a run without setup errors only if it is told that they are allowed: %s", async (allowPod) => {
  const faults = await findFaults(parseDefinition(definition({ tasks: { a: { image: "x", pod: { serviceAccount: "deploy" } } } })), {
    sourceExists: async () => false,
    poolAccess: {},
    allowPod,
  });
  expect(faults).toEqual(allowPod ? [] : [{ path: "tasks.a.pod", message: "is not allowed by the administrator" }]);
});
