/**
 * The composition root: `ostler serve`, from settings to running roles. The only place that knows all of them, and imported by nothing.
 * A role is loaded only by the process that runs it.
 */
import { type Logger, pino } from "pino";
import { type Config, ConfigError, ownEnvironment, parseConfig } from "./config.ts";
import { finalExitCode } from "./serve/role-process.ts";
import { type Role, runRole } from "./serve/run-role.ts";
import { StartError } from "./serve/start-error.ts";
import { awaitStop, tellReady } from "./serve/supervised.ts";
import { supervise } from "./serve/supervisor.ts";
import { usage } from "./serve/usage.ts";

const starters: Readonly<Record<Config["roles"][number], (config: Config, log: Logger) => Promise<Role>>> = {
  api: async (config, log) => (await import("./http/server.ts")).startApi({ config, log }),
  scheduler: async (config, log) => (await import("./actors/scheduler.ts")).startScheduler({ config, log }),
  executor: async (config, log) => (await import("./executors/executor.ts")).startExecutor({ config, log }),
};

/** What people read: not a log line. */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function serve(config: Config): Promise<void> {
  const [role, ...others] = config.roles;
  const alone = role !== undefined && others.length === 0 && config.redisUrl !== undefined;
  // Synchronous, so that no line is lost however the process ends.
  const log = pino(
    { level: config.logLevel, base: { role: alone ? role : "supervisor", pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  );
  process.on("unhandledRejection", (err) => {
    log.fatal({ err }, "a promise was rejected and nobody listened");
    process.exit(1);
  });
  if (alone) await runRole(() => starters[role](config, log), log);
  else await superviseAll(config, log);
}

async function superviseAll(config: Config, log: Logger): Promise<void> {
  const calledOff = new AbortController();
  const stop = awaitStop().finally(() => calledOff.abort());
  const onReady = (url: string) => {
    say(greeting(url, config));
    tellReady(url);
  };
  const options = { config, command: thisCommand(), env: ownEnvironment(), log, onReady };
  const supervisor = await supervise(options, calledOff.signal).catch((error: unknown) => {
    if (calledOff.signal.aborted) return undefined;
    throw error;
  });
  if (!supervisor) return;
  await stop;
  // A second signal exits at once, and must leave no role behind.
  process.on("exit", supervisor.kill);
  say("stopping; press Ctrl-C again to stop at once");
  await supervisor.stop();
}

/** How this process was started, as far as its role processes are started alike. */
function thisCommand(): [string, ...string[]] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

function greeting(url: string, config: Config): string {
  return [
    "ostler is ready",
    `  API         ${url}/api/v1`,
    `  reference   ${url}/api/v1/docs`,
    `  queues      ${url}/queues`,
    `  data        ${config.dataDir}`,
  ].join("\n");
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(usage());
    return 0;
  }
  try {
    await serve(parseConfig({ argv }));
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const fault of error.faults) process.stderr.write(`ostler serve: ${fault}\n`);
      return 2;
    }
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`ostler serve: ${error.message}\n`);
    return process.connected ? finalExitCode : 1;
  }
}

// `serve` is argument 2: bin/ostler.js sends nothing else here. Whatever a role left open must not keep the process.
process.exit(await main(process.argv.slice(3)));
