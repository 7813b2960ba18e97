import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createRedis, type RedisConnection } from "../../src/redis/connection.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { ostler, type Serving, serve, temporaryFolder } from "./installation.ts";

let redis: TestRedis;
let connection: RedisConnection;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let serving: Serving;
let url: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
  connection = createRedis(redis.url, "commands");
  serving = serve(["--data-dir", folder.path, "--port", "0"], { OSTLER_REDIS_URL: redis.url, OSTLER_EXECUTOR_ID: "e1" });
  url = await serving.url();
});

afterEach(async () => {
  await serving.stop();
  connection.disconnect();
  await redis.stop();
  await folder.remove();
});

/** The hops of docs/trace.md as the server sees them, in order. */
function hops(run: string): readonly { readonly hop: string; readonly command: RegExp }[] {
  return [
    { hop: "1: the run's definition is stored", command: new RegExp(`^set \\S+:run:${run}:def `, "i") },
    { hop: "1: its owner is told", command: new RegExp(`^xadd \\S+:in:\\d+ .*run/${run}.*create`, "i") },
    { hop: "5: the assignment is in todo", command: new RegExp(`^hset \\S+:executor:e1:todo ${run}-0-1-\\S+ run:`, "i") },
    { hop: "5: the run is running", command: new RegExp(`^rpush \\S+:run:${run}:events .*"running"`, "i") },
    { hop: "6: the executor holds it", command: new RegExp(`^hset \\S+:executor:e1:held ${run}-0-1-`, "i") },
    { hop: "7: its end is reported", command: new RegExp(`^xadd \\S+:in:\\d+ .*attempt-ended.*${run}-0-1-`, "i") },
    { hop: "8: it is settled", command: new RegExp(`^hdel \\S+:executor:e1:todo ${run}-0-1-`, "i") },
    { hop: "8: the run has finished", command: new RegExp(`^rpush \\S+:run:${run}:events .*"finished"`, "i") },
    { hop: "archived: its keys are deleted", command: new RegExp(`^del \\S+:run:${run} `, "i") },
  ];
}

/** What the server executes, scripts' own commands included, each as its words. By redis-cli: ioredis loses count when commands come at once. */
function watchCommands(socket: string) {
  const child = spawn("redis-cli", ["-s", socket, "monitor"], { stdio: ["ignore", "pipe", "ignore"] });
  const commands: string[] = [];
  let hasStarted = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    hasStarted = true;
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) => word.replaceAll('\\"', '"'));
    commands.push(words.join(" "));
  });
  return { commands, started: () => hasStarted, stop: () => child.kill() };
}

it("a task takes the hops of docs/trace.md, in that order", { timeout: 60_000 }, async () => {
  const monitor = watchCommands(join(redis.folder, "redis.sock"));
  const { commands } = monitor;
  await until("the monitor watches", () => monitor.started());
  const definition = JSON.stringify({ name: "trace", group: "/trace/one", tasks: { only: { image: "none", steps: [{ run: "true" }] } } });
  const created = await fetch(`${url}/api/v1/runs`, { method: "POST", headers: { "content-type": "application/json" }, body: definition });
  const { id } = (await created.json()) as { id: string };
  expect((await ostler(url, ["wait", id])).code).toBe(0);
  await until("Redis has forgotten the run", async () => (await connection.hget(`{ostler}:run:${id}`, "archived")) !== null, 30_000);
  await until("the monitor has seen it", () => commands.some((command) => /^del /i.test(command) && command.includes(`:run:${id} `)));
  monitor.stop();

  let at = -1;
  for (const { hop, command } of hops(id)) {
    const next = commands.findIndex((text, index) => index > at && command.test(text));
    expect(next, `${hop}, after command ${at}`).toBeGreaterThan(at);
    at = next;
  }
});
