import type { Driver, PodEntry, PodHandle, PodSpec, StepEnd, StepSpec } from "../driver.ts";

/** What a step of a pod in memory does. */
export interface ScriptedStep {
  readonly exitCode?: number;
  readonly output?: string;
  /** The step ends when this is settled; without it, at once. */
  readonly until?: Promise<void>;
}

export interface MemoryDriverOptions {
  /** What a step does; everything succeeds at once by default. */
  readonly script?: (pod: PodSpec, step: StepSpec) => ScriptedStep;
  readonly groupId?: string;
}

interface MemoryStep {
  readonly startedAt: number;
  readonly output: Uint8Array;
  readonly ended: Promise<StepEnd>;
  readonly stop: () => void;
}

const nothing = new Uint8Array();

/** A driver without a platform, for benchmarks and simulations: its pods are objects of this process and end with it. */
export function createMemoryDriver(options: MemoryDriverOptions = {}): Driver {
  const pods = new Map<string, { readonly spec: PodSpec; readonly handle: PodHandle; readonly createdAt: number }>();

  const create = (spec: PodSpec): PodHandle => {
    const steps = new Map<number, MemoryStep>();
    const createdAt = Date.now();
    return {
      id: spec.id,
      createdAt,
      arch: "amd64",
      os: "linux",
      remarks: [],
      outputFile: "/dev/null",
      files: {
        pack: async function* () {},
        unpack: async (_what, tar) => {
          for await (const _ of tar);
        },
        read: async () => undefined,
        sha256: async () => undefined,
      },
      startedSteps: async () => [...steps].map(([index, { startedAt }]) => ({ index, startedAt })),
      startStep: async (step, signal) => {
        signal.throwIfAborted();
        if (!steps.has(step.index)) steps.set(step.index, beginStep(options.script?.(spec, step) ?? {}));
      },
      waitStep: async (index, signal) => {
        signal.throwIfAborted();
        const step = steps.get(index);
        if (!step) return { type: "gone", reason: "pod_lost", message: "the step was never started" };
        return unlessAborted(step.ended, signal);
      },
      followOutput: async function* (index, offset, signal) {
        const step = steps.get(index);
        if (!step) return;
        if (step.output.length > offset) yield step.output.subarray(offset);
        await unlessAborted(step.ended, signal);
      },
      stopStep: async (index) => steps.get(index)?.stop(),
      touch: async () => {},
    };
  };

  return {
    name: "memory",
    allowsPrivileged: true,
    groupId: async () => options.groupId ?? `memory-${process.pid}`,
    archs: async () => ["amd64"],
    start: async (spec, signal) => {
      signal.throwIfAborted();
      const there = pods.get(spec.id);
      if (there) return there.handle;
      const handle = create(spec);
      pods.set(spec.id, { spec, handle, createdAt: handle.createdAt });
      return handle;
    },
    attach: async (podId) => pods.get(podId)?.handle,
    list: async (installation) =>
      [...pods.values()].flatMap(({ spec, createdAt }): PodEntry[] =>
        spec.owner.installation === installation ? [{ id: spec.id, owner: spec.owner, createdAt }] : [],
      ),
    remove: async (podId) => {
      pods.delete(podId);
    },
    close: async () => pods.clear(),
  };
}

function beginStep({ exitCode = 0, output, until }: ScriptedStep): MemoryStep {
  const startedAt = Date.now();
  const stopped = Promise.withResolvers<number>();
  const exit = (code: number): StepEnd => ({ type: "exited", exitCode: code, startedAt, finishedAt: Date.now() });
  const ended =
    until !== undefined ? Promise.race([until.then(() => exitCode), stopped.promise]).then(exit) : Promise.resolve(exit(exitCode));
  return { startedAt, ended, output: output === undefined ? nothing : Buffer.from(output), stop: () => stopped.resolve(143) };
}

async function unlessAborted<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
