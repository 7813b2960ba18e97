import type { RoleMessage } from "./role-process.ts";

/** Tells the supervisor, if there is one, that this process's role is ready. */
export function tellReady(url: string | undefined): void {
  const message: RoleMessage = { type: "ready", ...(url === undefined ? {} : { url }) };
  process.send?.(message);
}

/**
 * Resolves when this process shall close: told by a signal, or because its supervisor is gone. A second signal ends it at once.
 * To be called before anything is started, because until then a signal simply ends the process.
 */
export async function awaitStop(): Promise<"signal" | "orphaned"> {
  return await new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      for (const name of stopSignals) process.off(name, onSignal).on(name, () => process.exit(exitCodeOf(signal)));
      resolve("signal");
    };
    for (const name of stopSignals) process.on(name, onSignal);
    process.once("disconnect", () => resolve("orphaned"));
  });
}

/** What people and process managers send to end a process in good order. */
export const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** As shells report it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return signal === "SIGINT" ? 130 : signal === "SIGHUP" ? 129 : 143;
}
