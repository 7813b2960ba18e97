import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { createBackOff } from "./back-off.ts";
import { StartError } from "./start-error.ts";

/** What a role's process tells its supervisor; see supervised.ts. */
export const RoleMessage = z.object({ type: z.literal("ready"), url: z.string().optional() });
export type RoleMessage = z.infer<typeof RoleMessage>;

export interface RoleProcessOptions {
  readonly role: string;
  readonly spawn: () => ChildProcess;
  /** How long a process may take to close before it is killed. */
  readonly stopTimeoutMs: number;
  /** Called whenever the role has become ready, after a restart too. */
  readonly onReady: (url: string | undefined) => void;
  readonly log: Logger;
}

/** A role that is kept running in a process of its own until it is stopped. */
export interface RoleProcess {
  /** Resolves when the role is ready for the first time; rejects if its first process ends before that. */
  readonly ready: Promise<void>;
  /** Asks it to close, and resolves when its process is gone. Nothing is started after this. */
  readonly stop: () => Promise<void>;
  /** Ends it at once. */
  readonly kill: () => void;
}

/** Starts the role's process, and starts it again with back-off whenever it ends unasked after it had once been ready. */
export function keepRole({ role, spawn, stopTimeoutMs, onReady, log }: RoleProcessOptions): RoleProcess {
  const stopping = new AbortController();
  const { promise: ready, resolve: becomeReady, reject: failToStart } = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;

  const keep = async () => {
    const backOff = createBackOff();
    let everReady = false;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      child = spawn();
      child.on("message", (raw) => {
        const { url } = RoleMessage.parse(raw);
        everReady = true;
        becomeReady();
        onReady(url);
      });
      const end = await endOf(child);
      if (stopping.signal.aborted) return;
      if (!everReady) {
        failToStart(new StartError(`the ${role} did not start (${end}): its last log line says why`));
        return;
      }
      const waitMs = backOff.next(performance.now() - startedAt);
      log.error({ role, end, waitMs }, "a role ended unasked: starting it again");
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const kept = keep();

  return {
    ready,
    stop: async () => {
      stopping.abort();
      child?.kill("SIGTERM");
      const timer = setTimeout(() => {
        log.error({ role, stopTimeoutMs }, "a role did not close in time: killing it");
        child?.kill("SIGKILL");
      }, stopTimeoutMs);
      await kept.finally(() => clearTimeout(timer));
    },
    kill: () => {
      stopping.abort();
      child?.kill("SIGKILL");
    },
  };
}

/** How the process ended, for people. A program that cannot be started at all ends too. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, "exit");
    return signal === null ? `exit code ${code}` : `killed by ${signal}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
