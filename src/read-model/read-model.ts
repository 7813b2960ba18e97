import { Worker } from "node:worker_threads";
import { OstlerError } from "../errors.ts";
import type { Answer, OperationName, Operations, Request } from "./operations.ts";

type Input<Name extends OperationName> = Parameters<Operations[Name]>[1];
type Output<Name extends OperationName> = ReturnType<Operations[Name]>;

/** The index of runs as this process sees it: an SQLite file that a thread of its own queries, since SQLite blocks its caller. */
export interface ReadModel {
  /** Rejects if the answer takes longer than 30 s, or if the thread has died. */
  readonly call: <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Output<Name>>;
  /** Why the thread died; undefined while it lives. */
  readonly fault: () => Error | undefined;
  readonly close: () => Promise<void>;
}

const answerMs = 30_000;

interface Waiting {
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
}

/** This module is TypeScript in a checkout and JavaScript once published. */
const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** Opens the model in `folder` (kept between starts; `:memory:` for one that is not). */
export function createReadModel(folder: string): ReadModel {
  const worker = new Worker(workerFile, { workerData: { folder }, execArgv: ["--disable-warning=ExperimentalWarning"] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let fault: Error | undefined;
  let closing = false;
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));

  const die = (error: Error) => {
    fault ??= error;
    for (const { fail } of waiting.values()) fail(error);
    waiting.clear();
  };
  worker.on("message", (answer: Answer) => waiting.get(answer.id)?.settle(answer));
  worker.on("error", die);
  worker.on("exit", () => {
    if (!closing || waiting.size > 0) die(new Error("the read model's thread has ended"));
  });

  const ask = (name: OperationName, input: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      if (fault) return reject(fault);
      const id = ++lastId;
      const timer = setTimeout(
        () => waiting.get(id)?.fail(new OstlerError("not_ready", "the index of runs does not answer in time")),
        answerMs,
      );
      const done = () => {
        clearTimeout(timer);
        waiting.delete(id);
      };
      waiting.set(id, {
        settle: (answer) => {
          done();
          if ("error" in answer) reject(new Error(`read model: ${name}`, { cause: answer.error }));
          else resolve(answer.value);
        },
        fail: (error) => {
          done();
          reject(error);
        },
      });
      worker.postMessage({ id, name, input } satisfies Request);
    });

  return {
    // The thread performs exactly the operation of this name, so what it answers is that operation's output.
    call: (name, input) => ask(name, input) as Promise<Output<typeof name>>,
    fault: () => fault,
    close: async () => {
      closing = true;
      worker.postMessage("close");
      await ended;
    },
  };
}
