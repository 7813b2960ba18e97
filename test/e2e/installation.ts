import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../support/until.ts";

const program = fileURLToPath(new URL("../../bin/ostler.js", import.meta.url));

/** The environment of a command: nothing of this machine's ostler settings. */
function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("OSTLER_"));
  return { ...Object.fromEntries(own), OSTLER_LOG_LEVEL: "info", ...extra };
}

/** An `ostler serve` process of a test. */
export interface Serving {
  readonly process: ChildProcess;
  /** All that it has written so far, logs included. */
  readonly output: () => string;
  /** Resolves with the API's URL once it is announced. */
  readonly url: () => Promise<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGTERM, and SIGKILL after a while; resolves when the process is gone. */
  readonly stop: () => Promise<void>;
}

export function serve(flags: readonly string[], env: Readonly<Record<string, string>> = {}): Serving {
  const child = spawn(process.execPath, [program, "serve", ...flags], { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  return {
    process: child,
    output: () => output,
    url: async () => {
      const find = () => /API\s+(http:\S+)\/api\/v1/.exec(output)?.[1] ?? /"url":"(http:[^"]+)"/.exec(output)?.[1];
      await until(
        "the API's URL is announced",
        () => {
          if (gone()) throw new Error(`ostler serve ended with ${child.exitCode ?? child.signalCode}:\n${output.slice(-4000)}`);
          return find() !== undefined;
        },
        30_000,
      );
      return find() ?? "";
    },
    kill: (signal) => {
      child.kill(signal);
    },
    stop: async () => {
      child.kill("SIGTERM");
      await until("ostler serve is gone", gone, 20_000).catch(() => child.kill("SIGKILL"));
      await until("ostler serve is gone", gone);
    },
  };
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI against `url`. */
export async function ostler(url: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...args], {
    env: environment({ OSTLER_URL: url, NO_COLOR: "1", ...env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** A folder of the test's own, and how to remove it. */
export async function temporaryFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "ostler-e2e-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
