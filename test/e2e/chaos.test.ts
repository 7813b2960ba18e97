import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import type { RunEvent, RunView } from "../../src/runs/view.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { type Serving, serve, temporaryFolder } from "./installation.ts";

/**
 * Kills and freezes real processes under a load of real runs. Afterwards every run has ended, every task has exactly one
 * terminal event, and no attempt ran beside another of its task (a lock that only lives with the step's processes tells).
 */

const keys = createKeys("{ostler}");
const shards = 4;
const runs = 8;
const fan = 4;
const settleMs = 90_000;

let redis: TestRedis;
let connection: RedisConnection;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let url: string;
const processes = new Map<string, Serving>();

const step = [
  "exec 9>>$LEDGER.$OSTLER_RUN_ID.$OSTLER_TASK",
  'flock -n 9 || echo "overlap $OSTLER_RUN_ID $OSTLER_TASK $OSTLER_ATTEMPT" >> $LEDGER',
  'echo "begin $OSTLER_RUN_ID $OSTLER_TASK $OSTLER_ATTEMPT" >> $LEDGER',
  "sleep 0.2",
  'echo "end $OSTLER_RUN_ID $OSTLER_TASK $OSTLER_ATTEMPT" >> $LEDGER',
].join("\n");

function definition(number: number) {
  const task = (depends: string[]) => ({ image: "none", depends, steps: [{ type: "run", command: step }], infraRetry: { limit: 50 } });
  const middle = Array.from({ length: fan }, (_, i) => `middle-${i}`);
  return {
    name: "chaos",
    group: `/chaos/${number}/x`,
    environment: { LEDGER: ledger() },
    tasks: {
      first: task([]),
      ...Object.fromEntries(middle.map((name) => [name, task(["first"])])),
      last: task(middle),
    },
  };
}

function ledger(): string {
  return join(folder.path, "ledger");
}

function start(name: string): void {
  const [role = "", id = ""] = name.split("-");
  processes.set(
    name,
    serve(["--roles", role, "--port", "0"], {
      OSTLER_REDIS_URL: redis.url,
      OSTLER_DATA_DIR: join(folder.path, "data"),
      OSTLER_SHARDS: String(shards),
      OSTLER_SHARD_LEASE: "1s",
      OSTLER_HEARTBEAT_INTERVAL: "200ms",
      OSTLER_HEARTBEAT_TTL: "1s",
      ...(role === "executor" ? { OSTLER_EXECUTOR_ID: `e${id}`, OSTLER_EXECUTOR_TASK_LIMIT: "4" } : {}),
    }),
  );
}

async function crash(name: string): Promise<void> {
  const serving = processes.get(name);
  serving?.kill("SIGKILL");
  await until(`${name} is gone`, () => serving?.process.signalCode !== null);
}

async function call(path: string, body?: unknown): Promise<Response> {
  const init = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return fetch(`${url}/api/v1${path}`, init);
}

async function runOf(id: string): Promise<RunView> {
  const response = await call(`/runs/${id}`);
  // The client knows the shape: it is the API's own schema.
  return (await response.json()) as RunView;
}

async function eventsOf(id: string): Promise<readonly RunEvent[]> {
  const response = await fetch(`${url}/api/v1/runs/${id}/events?limit=500`, { headers: { accept: "application/json" } });
  const page = (await response.json()) as { events: readonly RunEvent[] };
  return page.events;
}

async function ledgerLines(): Promise<string[]> {
  return (await readFile(ledger(), "utf8").catch(() => "")).split("\n").filter(Boolean);
}

/** Lets the work go on until `count` more steps have begun, or everything has. */
async function progress(count: number): Promise<void> {
  const begun = async () => (await ledgerLines()).filter((line) => line.startsWith("begin")).length;
  const before = await begun();
  await until("steps go on", async () => (await begun()) >= Math.min(before + count, runs * (fan + 2)), 60_000);
}

beforeEach(async () => {
  folder = await temporaryFolder();
  redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
  connection = createRedis(redis.url, "commands");
  for (const name of ["scheduler-1", "scheduler-2", "api-1", "executor-1", "executor-2"]) start(name);
  url = (await processes.get("api-1")?.url()) ?? "";
});

afterEach(async () => {
  await Promise.all([...processes.values()].map((serving) => serving.stop()));
  processes.clear();
  connection.disconnect();
  await redis.stop();
  await folder.remove();
});

async function submitAll(): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < runs; i++) {
    const response = await call("/runs", definition(i));
    expect(response.status).toBe(201);
    ids.push(((await response.json()) as RunView).id);
  }
  return ids;
}

/** What a person would look at: the tasks that have not ended, and the last words of every process. */
async function whatIsLeft(ids: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const id of ids) {
    const { phase, tasks } = await runOf(id);
    for (const [name, task] of Object.entries(tasks)) {
      if (phase === "finished" || task.finishedAt !== null) continue;
      lines.push(`${id}/${name}: ${task.status}, attempt ${task.attempt}, ${JSON.stringify(task.waitingReason)}`);
    }
  }
  for (const [name, serving] of processes) lines.push(`== ${name}`, ...serving.output().trimEnd().split("\n").slice(-8));
  return lines.join("\n");
}

async function expectAllWell(ids: readonly string[]): Promise<void> {
  try {
    for (const id of ids) await until(`run ${id} has finished`, async () => (await runOf(id)).phase === "finished", settleMs);
  } catch (error) {
    throw new Error(await whatIsLeft(ids), { cause: error });
  }
  for (const id of ids) {
    const run = await runOf(id);
    expect(run.result).toBe("success");
    const events = await eventsOf(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const ends = events.flatMap((event) => (event.type === "task" && event.status === "success" ? [event.task] : []));
    expect(ends.toSorted()).toEqual(Object.keys(run.tasks).toSorted());
  }
  expect((await ledgerLines()).filter((line) => line.startsWith("overlap"))).toEqual([]);
}

describe("an installation with two schedulers and two executors", { timeout: 240_000 }, () => {
  it("finishes every run although schedulers and executors are killed", async () => {
    const ids = await submitAll();
    for (const victim of ["scheduler-1", "executor-1", "scheduler-2", "executor-2", "scheduler-1"]) {
      await progress(3);
      await crash(victim);
      await progress(1);
      start(victim);
    }
    await expectAllWell(ids);
  });

  it("finishes every run although a scheduler is frozen for longer than its lease", async () => {
    const ids = await submitAll();
    await progress(3);
    processes.get("scheduler-1")?.kill("SIGSTOP");
    const owned = () => Promise.all(Array.from({ length: shards }, (_, shard) => connection.exists(keys.own(shard))));
    await until("the other one is alone, and owns all shards", async () => {
      const isAlone = (await connection.zcard(keys.schedulers)) === 1;
      return isAlone && (await owned()).every((exists) => exists === 1);
    });
    await progress(3);
    processes.get("scheduler-1")?.kill("SIGCONT");
    await expectAllWell(ids);
  });

  it("finishes every run although Redis is killed and started again", async () => {
    const ids = await submitAll();
    for (let i = 0; i < 2; i++) {
      await progress(3);
      redis.kill("SIGKILL");
      await redis.restart();
    }
    await expectAllWell(ids);
  });

  it("gives the work of an executor that stays away to its sibling", async () => {
    const ids = await submitAll();
    await progress(3);
    await crash("executor-1");
    await expectAllWell(ids);
  });
});
