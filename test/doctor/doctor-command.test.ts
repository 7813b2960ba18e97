import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { createRedis } from "../../src/redis/connection.ts";
import { newFolder } from "../support/folder.ts";
import { startRedis } from "../support/redis.ts";

const program = fileURLToPath(new URL("../../bin/ostler.js", import.meta.url));
const Report = z.object({
  state: z.string(),
  checks: z.array(z.object({ check: z.string(), state: z.string(), message: z.string(), advice: z.string().optional() })),
});

async function doctor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program, "doctor", ...args], { env: { PATH: process.env["PATH"], ...env } });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** What is wrong, by check. */
function problemsIn(stdout: string): Readonly<Record<string, string>> {
  const { checks } = Report.parse(JSON.parse(stdout));
  return Object.fromEntries(checks.flatMap(({ check, state, message }) => (state === "ok" ? [] : [[check, message]])));
}

async function startGoodRedis(): Promise<string> {
  const server = await startRedis(["--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "100mb"]);
  onTestFinished(server.stop);
  return server.url;
}

it("finds all well before the first start, and founds nothing", async () => {
  const url = await startGoodRedis();
  const { code, stdout, stderr } = await doctor(["--data-dir", newFolder("doctor"), "--redis-url", url]);
  expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("ok "))).toEqual([]);
  expect(stderr).toMatch(/^\d+ checks: \d+ ok, 0 warning, 0 failed\n$/);
  expect(code).toBe(0);
  const redis = createRedis(url, "commands");
  expect(await redis.dbsize()).toBe(0);
  redis.disconnect();
});

it("says which Redis would be started where none is configured", async () => {
  const { code, stdout } = await doctor(["--data-dir", newFolder("doctor"), "-o", "json"]);
  expect(code).toBe(0);
  expect(Report.parse(JSON.parse(stdout)).checks[0]?.message).toMatch(/^a private one will be started: \/.*-server$/);
});

it("fails where Redis is away, and tells why without its password", async () => {
  const { code, stdout } = await doctor(["-o", "json", "--data-dir", newFolder("doctor"), "--redis-url=redis://:hunter2@127.0.0.1:1"]);
  expect(code).toBe(1);
  expect(problemsIn(stdout)).toMatchObject({ redis: expect.stringContaining("ECONNREFUSED") });
  expect(stdout).not.toContain("hunter2");
});

it("fails where object storage belongs to another installation than Redis", async () => {
  const [url, folder] = [await startGoodRedis(), newFolder("doctor")];
  const redis = createRedis(url, "commands");
  await redis.hset("{ostler}:meta", "installation", "one");
  redis.disconnect();
  mkdirSync(join(folder, "ost"));
  const claim = { version: 1, id: "other", history: null, renewedAt: new Date().toISOString() };
  writeFileSync(join(folder, "ost/installation.json"), JSON.stringify(claim));
  const { code, stdout } = await doctor(["-o", "json", "--data-dir", folder], { OSTLER_REDIS_URL: url });
  expect(code).toBe(1);
  expect(problemsIn(stdout)).toEqual({ installation: "Redis belongs to the installation one, this object storage to other" });
});

it("fails where nothing can be written, in a table with what to do", async () => {
  const folder = newFolder("doctor");
  writeFileSync(join(folder, "file"), "");
  const { code, stdout } = await doctor(["--data-dir", folder, "--ost-url", `file://${folder}/file`]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^failed {3}object-storage {2,}.+\n {27}-> set OSTLER_OST_URL right/m);
});

it.each([
  [["--no-such-flag", "1"], /unknown flag --no-such-flag/],
  [["-o", "name"], /-o takes table, json or yaml/],
  [["--port", "x", "--durability", "never"], /--port.*\n.*--durability/],
])("refuses %j as wrong usage", async (args, message) => {
  const { code, stdout, stderr } = await doctor(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});

it("explains itself", async () => {
  const { code, stdout } = await doctor(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("Usage: ostler doctor");
});
