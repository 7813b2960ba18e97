import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process of a benchmark that is told to go and tells when it is done. */
export interface BenchChild {
  readonly pid: number;
  /** Sends a message and resolves with the answer to it. */
  readonly ask: (message: unknown) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

/** Starts `file` with `argument` (JSON) as its only argument, and resolves once it says that it is ready. */
export async function startChild(file: URL, argument: unknown): Promise<BenchChild> {
  const child: ChildProcess = fork(file, [JSON.stringify(argument)], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const answer = async () => {
    const answered = new AbortController();
    const { signal } = answered;
    try {
      const [message] = await Promise.race([
        once(child, "message", { signal }),
        once(child, "exit", { signal }).then(([code]) => {
          throw new Error(`${file.pathname} ended with ${code}`);
        }),
      ]);
      return message;
    } finally {
      answered.abort();
    }
  };
  await answer();
  return {
    pid: child.pid ?? -1,
    ask: (message) => {
      const answered = answer();
      child.send({ message });
      return answered;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

/** The child's side: says that it is ready, and answers each message once. */
export function serveParent(handle: (message: unknown) => Promise<unknown>): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", async (envelope: { message: unknown }) => {
    const reply = await handle(envelope.message);
    process.send?.(reply ?? null);
  });
  process.send?.("ready");
}

/** The argument that `startChild` gave. */
export function childArgument(): unknown {
  return JSON.parse(process.argv[2] ?? "null");
}
