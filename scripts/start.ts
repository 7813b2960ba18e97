/**
 * What scripts/start does once everything is installed: serves, runs a file through the command line client, and serves on until Ctrl-C,
 * or, with `--once FILE`, stops and exits with the run's fate. The log of the server goes to a file, so that the run can be watched.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { type Config, ConfigError, parseConfig } from "../src/config.ts";

const root = join(import.meta.dirname, "..");
const ostler = join(root, "bin/ostler.js");
const example = join(root, "examples/hello.yaml");

interface Arguments {
  readonly once: string | undefined;
  /** `--env K=V` of the run. */
  readonly runFlags: readonly string[];
  readonly serveFlags: readonly string[];
}

function readArguments(argv: readonly string[]): Arguments {
  const runFlags: string[] = [];
  const serveFlags: string[] = [];
  let file: string | undefined;
  const rest = argv.values();
  for (const argument of rest) {
    const [name = "", inline] = argument.split(/=(.*)/s);
    if (name === "--once") file = resolve(inline ?? rest.next().value ?? fail("--once needs a file"));
    else if (name === "--env") runFlags.push("--env", inline ?? rest.next().value ?? fail("--env needs NAME=value"));
    else if (argument !== "--yes") serveFlags.push(argument);
  }
  return { once: file, runFlags, serveFlags };
}

function fail(message: string, exitCode = 2): never {
  for (const line of message.split("\n")) console.error(`scripts/start: ${line}`);
  process.exit(exitCode);
}

/** Settings for trying things out: data beside the checkout, and for a single run whatever port is free. */
function serverEnvironment(single: boolean): NodeJS.ProcessEnv {
  const { OSTLER_DATA_DIR, OSTLER_DATA_DIR_FILE, OSTLER_PORT, OSTLER_PORT_FILE } = process.env;
  return {
    ...process.env,
    ...(OSTLER_DATA_DIR || OSTLER_DATA_DIR_FILE ? {} : { OSTLER_DATA_DIR: join(root, ".ostler") }),
    ...(OSTLER_PORT || OSTLER_PORT_FILE || !single ? {} : { OSTLER_PORT: "0" }),
  };
}

function readConfig(env: NodeJS.ProcessEnv, argv: readonly string[]): Config {
  try {
    return parseConfig({ env, argv });
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message);
    throw error;
  }
}

const Ready = z.object({ type: z.literal("ready"), url: z.string() });

/** Starts `ostler serve`; resolves with its URL when it is ready. Ends this program with what it said if it does not start. */
async function startServer(
  env: NodeJS.ProcessEnv,
  flags: readonly string[],
  logPath: string,
): Promise<{ readonly server: ChildProcess; readonly url: string }> {
  // A session of its own: Ctrl-C is ours to handle, and the channel tells it when we are gone.
  const server = spawn(process.execPath, [ostler, "serve", ...flags], { env, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const log = createWriteStream(logPath, { flags: "a" });
  const said: string[] = [];
  server.stdout?.pipe(log, { end: false });
  server.stderr?.pipe(log, { end: false });
  if (server.stderr) createInterface(server.stderr).on("line", (line) => said.push(line));
  const message = await Promise.race([once(server, "message"), once(server, "close")]).then(([first]) => Ready.safeParse(first));
  if (message.success) return { server, url: message.data.url };
  // Log lines are JSON; what is meant for people is not.
  const plain = said.filter((line) => !line.startsWith("{"));
  return fail(plain.join("\n") || `${said.at(-1) ?? ""}\nthe server did not start; its log is ${logPath}`, 1);
}

/** Runs one file and follows it on this terminal; the exit code is the run's fate (see docs/cli.md), or 130 after Ctrl-C. */
async function watchRun(file: string, flags: readonly string[], url: string, config: Config): Promise<number> {
  const token = config.adminToken === undefined ? {} : { OSTLER_TOKEN: config.adminToken };
  const client = spawn(process.execPath, [ostler, "run", file, "--watch", ...flags], {
    env: { ...process.env, OSTLER_URL: url, ...token },
    stdio: "inherit",
  });
  const [code] = await once(client, "exit");
  return typeof code === "number" ? code : 1;
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
}

const { once: single, runFlags, serveFlags } = readArguments(process.argv.slice(2));
const env = serverEnvironment(single !== undefined);
const config = readConfig(env, serveFlags);
mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
const logPath = join(config.dataDir, "serve.log");
const { server, url } = await startServer(env, serveFlags, logPath);

let interrupts = 0;
const interrupted = new Promise<void>((wake) => {
  const interrupt = () => {
    interrupts += 1;
    // The server counts too: its second signal ends it at once.
    if (interrupts > 1) server.kill("SIGTERM");
    wake();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
});

const fate = await watchRun(single ?? example, runFlags, url, config);
if (single === undefined && interrupts === 0) {
  const here = (path: string) => relative(process.cwd(), path) || path;
  console.log(`
ostler serves on ${url}
  dashboards   ${url}/queues
  reference    ${url}/api/v1/docs
  server log   ${logPath}
  try          ${here(ostler)} runs list
               ${here(ostler)} run ${here(example)} --watch
Ctrl-C stops everything.`);
  const died = once(server, "exit").then(() => "died");
  if ((await Promise.race([died, interrupted])) === "died") fail(`the server ended; its log is ${logPath}`, 1);
}
await stopServer(server);
process.exit(single === undefined ? 0 : fate);
