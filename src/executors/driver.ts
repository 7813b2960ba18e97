import type { AttemptReason } from "../runs/outcome.ts";

/**
 * The port to a pod platform. A driver knows pods, nothing else; the pod's id is the assignment's id.
 * Everything is idempotent by pod id, and every call rejects when `signal` is aborted. Times are ms by this host's clock.
 */
export interface Driver {
  readonly name: string;
  /** Says of itself what the user must know ("no isolation"), shown at start. */
  readonly warning?: string;
  readonly allowsPrivileged: boolean;
  readonly groupId: () => Promise<string>;
  readonly archs: () => Promise<readonly string[]>;
  /**
   * Creates and starts the pod, with no step running, and its services ready. Repeating it for an existing pod attaches to that.
   * Throws PodError if the platform cannot run it, with the reason for which the attempt ends. `onProgress` hears, line by line,
   * what is waited for (a pull, a node): it goes to the setup's log, and the last line is why the task is waiting.
   */
  readonly start: (pod: PodSpec, onProgress: (line: string) => void, signal: AbortSignal) => Promise<PodHandle>;
  /** The handle of a pod that is already there, after a restart of the executor; undefined if there is none. */
  readonly attach: (podId: string, signal: AbortSignal) => Promise<PodHandle | undefined>;
  /** All pods of the group that belong to `installation`, uncached and complete, or it throws. */
  readonly list: (installation: string, signal: AbortSignal) => Promise<readonly PodEntry[]>;
  /** Kills whatever runs in it and removes the pod with everything that belongs to it. No pod is no fault. */
  readonly remove: (podId: string, graceMs: number, signal: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A pod that could not be started, or was lost: the attempt ends as `reason`, with the platform's own message. */
export class PodError extends Error {
  readonly reason: AttemptReason;

  constructor(reason: AttemptReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PodError";
    this.reason = reason;
  }
}

export interface PodSpec {
  readonly id: string;
  readonly owner: PodOwner;
  readonly arch: string | undefined;
  /** At least one; the first is the main one, the others are services, which share its network. */
  readonly containers: readonly PodContainer[];
  /** By the registry's host, as images name it (`docker.io` for those that name none). */
  readonly registries: Readonly<Record<string, RegistryLogin>>;
  /** Where the task wants its pod, within what the administrator allows; only platforms with nodes know it. */
  readonly wishes?: PodWishes;
  /** The pod ends by itself at this time, whatever happens to its executor. */
  readonly deadlineAt: number;
  /** No step starts later than this, unless the executor has touched the pod since. */
  readonly startBy: number;
  /** The helper stops the steps when the executor has not touched the pod for this long. */
  readonly fenceMs: number;
}

export interface PodContainer {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly privileged: boolean;
  readonly entrypoint?: readonly string[];
  /** In memory; without a size, as large as the platform lets it be. */
  readonly tmpfs: readonly { readonly path: string; readonly sizeBytes?: number }[];
  /** Thousandths of a core. */
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
  /** Services only: the pod has not started before the command has succeeded in the container. */
  readonly readiness?: { readonly command: readonly string[]; readonly intervalMs: number; readonly timeoutMs: number };
}

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

export interface PodWishes {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Readonly<Record<string, string | number | boolean>>[];
  readonly serviceAccount?: string;
}

/** What the outside sees of a pod. */
export interface PodOwner {
  readonly installation: string;
  readonly executor: string;
  readonly incarnation: string;
  readonly group: string;
  readonly runId: string;
  readonly task: string;
  readonly attempt: number;
}

export interface PodEntry {
  readonly id: string;
  readonly owner: PodOwner;
  readonly createdAt: number;
}

export interface PodHandle {
  readonly id: string;
  readonly createdAt: number;
  /** The architecture that the pod really runs on, in ostler's names. */
  readonly arch: string;
  /** `linux`, `darwin`, … */
  readonly os: string;
  /** What the user should know of this pod ("the image is ignored"), for the setup's log. */
  readonly remarks: readonly string[];
  /** Where a step finds the file that it writes its outputs to (`OSTLER_OUTPUT`). */
  readonly outputFile: string;
  /** The pod's file system: the executor reads and writes archives there. */
  readonly files: PodFiles;
  /** The steps that were ever started in this pod, ended or not. */
  readonly startedSteps: (signal: AbortSignal) => Promise<readonly StartedStep[]>;
  /** Starts a step detached; repeating it for a step that was started does nothing. */
  readonly startStep: (step: StepSpec, signal: AbortSignal) => Promise<void>;
  /** Waits until the step has ended, reconnecting as often as it takes. */
  readonly waitStep: (index: number, signal: AbortSignal) => Promise<StepEnd>;
  /** The step's output (stdout and stderr as one) from `offset`, as it comes, until the step has ended and all is read. */
  readonly followOutput: (index: number, offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /**
   * What a service (its position among the containers, from 1) has printed, from `offset`, as it comes, until it has ended.
   * Empty for drivers without services.
   */
  readonly followService: (index: number, offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** SIGTERM to the step, after `graceMs` SIGKILL; resolves once nothing of it runs. */
  readonly stopStep: (index: number, graceMs: number, signal: AbortSignal) => Promise<void>;
  /** Tells the pod that its executor was alive at `at` (see `fenceMs`). */
  readonly touch: (at: number, signal: AbortSignal) => Promise<void>;
}

export interface StartedStep {
  readonly index: number;
  readonly startedAt: number;
}

export interface StepSpec {
  readonly index: number;
  /** The script, handed to `shell` on a file that only the pod sees. */
  readonly command: string;
  readonly shell: readonly string[];
  /** Created if it is missing. */
  readonly workingDir: string;
  /** On top of what the image sets. Never written to a file nor put on a command line. */
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
}

export type StepEnd =
  | { readonly type: "exited"; readonly exitCode: number; readonly startedAt: number; readonly finishedAt: number }
  | { readonly type: "gone"; readonly reason: AttemptReason; readonly message: string };

/** The pod's file system as archives see it. Paths are as a step would write them: `~` is the home, relative ones are below `workingDir`. */
export interface PodFiles {
  /** A tar stream. Links and modes are kept; what does not match is absent, and no match at all is an empty archive. */
  readonly pack: (what: Packing, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Unpacks a tar stream; refuses entries that would leave its destination. */
  readonly unpack: (what: Unpacking, tar: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  /** At most `maxBytes` + 1 bytes of a file, so that one that is too large shows; undefined if there is none. */
  readonly read: (path: string, maxBytes: number, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /** Hex digest of a file; undefined if there is none. */
  readonly sha256: (path: string, signal: AbortSignal) => Promise<string | undefined>;
}

export interface Packing {
  readonly workingDir: string;
  readonly contents: readonly PackedContents[];
}

export interface PackedContents {
  readonly sourceDir: string;
  /** Where the files are in the archive: relative, or below `~`. */
  readonly destDir: string;
  /** Globs relative to `sourceDir`; one that begins with `!` takes files out again. */
  readonly paths: readonly string[];
}

export interface Unpacking {
  readonly workingDir: string;
  /** Where relative entries go. Entries below `~` go to the home. */
  readonly destDir: string;
}
