import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findByArgument, isRunning, signalProcess } from "../../src/serve/process-list.ts";
import { newFolder } from "../support/folder.ts";
import { until } from "../support/until.ts";

const fixture = join(import.meta.dirname, "fixtures/supervise.ts");
const folders: string[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) {
    for (const pid of await findByArgument(join(folder, "redis/redis.conf"))) signalProcess(pid, "SIGKILL");
  }
});

function dataFolder(): string {
  const folder = newFolder("serve");
  folders.push(folder);
  return folder;
}

/** Runs the supervisor as a process of its own; `journal` is what its roles wrote. */
function supervise(folder: string, env: Readonly<Record<string, string>> = {}) {
  const journal = join(folder, "journal");
  const child = spawn(process.execPath, [fixture, folder], {
    env: { ...process.env, ...env, JOURNAL: journal },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  child.stdout.on("data", (bytes) => {
    output += bytes;
  });
  child.stderr.on("data", (bytes) => {
    output += bytes;
  });
  const lines = () => (existsSync(journal) ? readFileSync(journal, "utf8").trim().split("\n") : []);
  return {
    child,
    output: () => output,
    /** `role what` in order. */
    events: () => lines().map((line) => line.split(" ").slice(0, 2).join(" ")),
    pids: () => lines().flatMap((line) => (line.includes("started") ? [Number(line.split(" ")[2])] : [])),
    allReady: () => until("all roles are ready", () => output.includes("all ready")),
    exited: async () => (child.exitCode === null ? await once(child, "exit") : [child.exitCode]),
  };
}

describe("the supervisor", () => {
  it("starts Redis and every role, and stops them in reverse order", async () => {
    const folder = dataFolder();
    const { child, allReady, events, output, exited } = supervise(folder);
    await allReady();
    expect(output()).toContain("ready http://127.0.0.1:4711");
    child.kill("SIGTERM");
    expect(await exited()).toEqual([0, null]);
    expect(events().slice(0, 3).sort()).toEqual(["api started", "executor started", "scheduler started"]);
    expect(events().slice(3)).toEqual(["executor signal", "api signal", "scheduler signal"]);
    expect(await findByArgument(join(folder, "redis/redis.conf"))).toEqual([]);
  });

  it("takes its roles with it when it is killed, and leaves Redis to the next start", async () => {
    const folder = dataFolder();
    const first = supervise(folder);
    await first.allReady();
    const [redis] = await findByArgument(join(folder, "redis/redis.conf"));
    first.child.kill("SIGKILL");
    await until("all roles are gone", () => first.pids().every((pid) => !isRunning(pid)));
    expect(first.events().filter((event) => event.endsWith("orphaned"))).toHaveLength(3);

    const second = supervise(folder);
    await second.allReady();
    expect(await findByArgument(join(folder, "redis/redis.conf"))).toEqual([redis]);
  });

  it("refuses a folder that is served already, and touches nothing of it", async () => {
    const folder = dataFolder();
    const first = supervise(folder);
    await first.allReady();
    const second = supervise(folder);
    expect(await second.exited()).not.toEqual([0, null]);
    expect(second.output()).toContain(`process ${first.child.pid}`);
    expect(second.output()).toContain("listens on http://127.0.0.1:4711");
    expect(first.pids().every(isRunning)).toBe(true);
    expect(first.pids()).toHaveLength(3);
  });

  it("starts Redis again when it dies, at the same address", async () => {
    const folder = dataFolder();
    const { allReady, events } = supervise(folder);
    await allReady();
    const config = join(folder, "redis/redis.conf");
    const [first] = await findByArgument(config);
    signalProcess(first ?? 0, "SIGKILL");
    await until("another server runs", async () => {
      const [pid] = await findByArgument(config);
      return pid !== undefined && pid !== first;
    });
    expect(events()).toHaveLength(3);
  });

  it("stops everything again when a role cannot start", async () => {
    const folder = dataFolder();
    const { output, exited, pids } = supervise(folder, { FAIL: "executor" });
    expect(await exited()).toEqual([1, null]);
    expect(output()).toContain("the executor did not start (exit code 9)");
    expect(output()).not.toContain("ready http");
    expect(pids().some(isRunning)).toBe(false);
    expect(await findByArgument(join(folder, "redis/redis.conf"))).toEqual([]);
  });
});
