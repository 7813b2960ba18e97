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

/** A role ends with this code where it must not be started again: what stands against it is the user's to mend. */
export const finalExitCode = 78;

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
  /** Resolves when nothing will be started any more: it was stopped, gave up, or never became ready. */
  readonly over: Promise<void>;
  /** Asks it to close, and resolves when its process is gone. Nothing is started after this. */
  readonly stop: () => Promise<void>;
  /** Ends it at once. */
  readonly kill: () => void;
}

/** Starts the role's process, and starts it again with back-off whenever it dies after it had once been ready. */
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
        failToStart(new StartError(`the ${role} did not start (${describe(end)}): its last log line says why`));
        return;
      }
      if (end.code === 0 || end.code === finalExitCode) {
        log.error({ role, ...end }, "a role ended for good: it is not started again");
        return;
      }
      const waitMs = backOff.next(performance.now() - startedAt);
      log.error({ role, ...end, waitMs }, "a role ended unasked: starting it again");
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const kept = keep();

  return {
    ready,
    over: kept,
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

interface End {
  readonly code?: number;
  readonly signal?: string;
  /** Why it could not even be started. */
  readonly reason?: string;
}

async function endOf(child: ChildProcess): Promise<End> {
  try {
    const [code, signal] = await once(child, "exit");
    return signal === null ? { code } : { signal };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

function describe({ code, signal, reason }: End): string {
  return reason ?? (signal === undefined ? `exit code ${code}` : `killed by ${signal}`);
}
