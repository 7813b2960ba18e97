import { type ChildProcess, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder = "";

/** Makes a Node believe that it is an old one, once: what it starts in turn is not told. */
const pretend =
  'if (process.env.PRETEND) { Object.defineProperty(process, "versions", { value: { ...process.versions, node: process.env.PRETEND } }); delete process.env.PRETEND; }';

/** What stands for the command line: says that it runs, and by which Node, and ends as it is told. */
const program = `
const [what] = process.argv.slice(2);
process.on("SIGTERM", () => { console.log("got SIGTERM"); process.exit(7); });
process.on("SIGINT", () => { console.log("got SIGINT"); process.exit(130); });
console.log(JSON.stringify({ node: process.versions.node, argv: process.argv.slice(2) }));
if (what === "exit") process.exit(42);
if (what === "kill") process.kill(process.pid, "SIGKILL");
if (what === "stay") setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostler-launcher-"));
  await writeFile(join(folder, "pretend.mjs"), pretend);
  for (const name of ["checkout", "bare"]) {
    await mkdir(join(folder, name, "src/cli"), { recursive: true });
    await mkdir(join(folder, name, "bin"));
    await writeFile(join(folder, name, "package.json"), '{"type":"module"}');
    await writeFile(join(folder, name, "src/cli/entry.ts"), program);
    await writeFile(join(folder, name, "src/main.ts"), 'console.log("main", process.argv.slice(2).join());');
    await mkdir(join(folder, name, "src/doctor"));
    await writeFile(join(folder, name, "src/doctor/entry.ts"), "console.log(process.argv[2], process.argv.slice(3).join());");
    await copyFile(join(root, "bin/ostler.js"), join(folder, name, "bin/ostler.js"));
  }
  await mkdir(join(folder, "checkout/node_modules"));
  await symlink(join(root, "node_modules/node"), join(folder, "checkout/node_modules/node"));
  await symlink(join(folder, "checkout/bin/ostler.js"), join(folder, "ostler"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function launch(path: string, args: readonly string[], pretended = "") {
  const node = ["--disable-warning=ExperimentalWarning", "--import", join(folder, "pretend.mjs")];
  const child: ChildProcess = spawn(process.execPath, [...node, path, ...args], {
    cwd: dirname(root),
    env: { ...process.env, PRETEND: pretended },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
  return { child, ended, output: () => stdout };
}

const inCheckout = () => join(folder, "checkout/bin/ostler.js");

describe("bin/ostler.js", () => {
  it("runs the command line under an older Node by the project's own, with every argument", async () => {
    const { stdout, code } = await launch(inCheckout(), ["runs", "a b", ""], "18.20.0").ended;
    expect(JSON.parse(stdout)).toEqual({ node: expect.stringMatching(/^24\./), argv: ["runs", "a b", ""] });
    expect(code).toBe(0);
  });

  it("works through a symbolic link, from any folder", async () => {
    expect((await launch(join(folder, "ostler"), ["exit"], "20.1.0").ended).code).toBe(42);
    expect((await launch(join(folder, "ostler"), ["exit"]).ended).code).toBe(42);
  });

  it("hands `serve` to the server, `doctor` to the doctor, and nothing else", async () => {
    expect((await launch(inCheckout(), ["serve", "--port", "0"]).ended).stdout).toBe("main serve,--port,0\n");
    expect((await launch(inCheckout(), ["doctor", "-o", "json"]).ended).stdout).toBe("doctor -o,json\n");
    expect((await launch(inCheckout(), ["runs", "serve"]).ended).stdout).toContain('"argv":["runs","serve"]');
  });

  it("ends by the same signal", async () => {
    expect(await launch(inCheckout(), ["kill"], "20.1.0").ended).toMatchObject({ code: null, signal: "SIGKILL" });
  });

  it.each([
    ["SIGTERM", 7],
    ["SIGINT", 130],
  ] as const)("passes %s on, and waits for what it leads to", async (signal, code) => {
    const { child, ended, output } = launch(inCheckout(), ["stay"], "20.1.0");
    await until("it runs", () => output().includes("node"));
    child.kill(signal);
    expect(await ended).toMatchObject({ code, stdout: expect.stringContaining(`got ${signal}\n`) });
  });

  it("says in one message what to do where there is no newer Node", async () => {
    const { code, stderr, stdout } = await launch(join(folder, "bare/bin/ostler.js"), ["runs"], "20.1.0").ended;
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("ostler: needs Node 24 or newer");
    expect(stderr).toContain("npm ci");
  });

  it("says what to do where the packages are not installed", async () => {
    await writeFile(join(folder, "bare/src/main.ts"), 'import "ioredis";');
    const { code, stderr } = await launch(join(folder, "bare/bin/ostler.js"), ["serve"]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ostler: the package ioredis is not installed: run `npm ci` in /);
  });
});
