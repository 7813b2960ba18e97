import type { Logger } from "pino";
import { awaitStop, tellReady } from "./supervised.ts";

/** A role that was started in this process. */
export interface Role {
  /** Resolves once the role does its work; rejects if it cannot start. */
  readonly ready: Promise<void>;
  /** Where it listens, known once it is ready; absent for roles that nobody dials. */
  readonly url?: string;
  /** Settles if the role ends by itself, rejecting if that is a fault; a role without it never does. */
  readonly ended?: Promise<void>;
  readonly close: () => Promise<void>;
}

/** Runs one role in this process until it ends, or is told to close by a signal or by the end of its supervisor. */
export async function runRole(start: () => Promise<Role>, log: Logger): Promise<void> {
  const stop = awaitStop();
  const role = await start();
  try {
    await Promise.race([role.ready.then(() => tellReady(role.url)), stop]);
    const cause = await Promise.race([role.ended?.then(() => "ended") ?? stop, stop]);
    log.info({ cause }, "closing");
  } finally {
    await role.close();
  }
}
