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
  readonly end: (end: "stopped" | "removed") => void;
}

interface MemoryPod {
  readonly spec: PodSpec;
  readonly handle: PodHandle;
  /** Ends what runs in it. */
  readonly remove: () => void;
}

const nothing = new Uint8Array();
/** As shells report SIGTERM. */
const terminated = 143;
const removed: StepEnd = { type: "gone", reason: "pod_lost", message: "the pod was removed" };

/** A driver without a platform, for benchmarks and simulations: its pods are objects of this process and end with it. */
export function createMemoryDriver(options: MemoryDriverOptions = {}): Driver {
  const pods = new Map<string, MemoryPod>();

  const create = (spec: PodSpec): MemoryPod => {
    const steps = new Map<number, MemoryStep>();
    const createdAt = Date.now();
    const remove = () => {
      for (const step of steps.values()) step.end("removed");
    };
    const handle: PodHandle = {
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
      followService: async function* () {},
      stopStep: async (index) => steps.get(index)?.end("stopped"),
      touch: async () => {},
    };
    return { spec, handle, remove };
  };

  return {
    name: "memory",
    allowsPrivileged: true,
    groupId: async () => options.groupId ?? `memory-${process.pid}`,
    archs: async () => ["amd64"],
    start: async (spec, _onProgress, signal) => {
      signal.throwIfAborted();
      const there = pods.get(spec.id);
      if (there) return there.handle;
      const pod = create(spec);
      pods.set(spec.id, pod);
      return pod.handle;
    },
    attach: async (podId) => pods.get(podId)?.handle,
    list: async (installation) =>
      [...pods.values()].flatMap(({ spec: { id, owner }, handle: { createdAt } }): PodEntry[] =>
        owner.installation === installation ? [{ id, owner, createdAt }] : [],
      ),
    remove: async (podId) => {
      pods.get(podId)?.remove();
      pods.delete(podId);
    },
    close: async () => {
      for (const pod of pods.values()) pod.remove();
      pods.clear();
    },
  };
}

function beginStep({ exitCode = 0, output, until }: ScriptedStep): MemoryStep {
  const startedAt = Date.now();
  const exited = (code: number): StepEnd => ({ type: "exited", exitCode: code, startedAt, finishedAt: Date.now() });
  const over = Promise.withResolvers<StepEnd>();
  if (until === undefined) over.resolve(exited(exitCode));
  else until.then(() => over.resolve(exited(exitCode)), over.reject);
  return {
    startedAt,
    ended: over.promise,
    output: output === undefined ? nothing : Buffer.from(output),
    end: (how) => over.resolve(how === "stopped" ? exited(terminated) : removed),
  };
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
