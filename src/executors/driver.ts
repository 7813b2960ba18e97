import type { AttemptReason } from "../runs/outcome.ts";

/**
 * The port to a pod platform. A driver knows pods, nothing else; the pod's id is the assignment's id.
 * Everything is idempotent by pod id, and every call rejects when `signal` is aborted.
 */
export interface Driver {
  readonly name: string;
  /** Says of itself what the user must know ("no isolation"), shown at start. */
  readonly warning?: string;
  readonly allowsPrivileged: boolean;
  readonly groupId: () => Promise<string>;
  readonly archs: () => Promise<readonly string[]>;
  /** Creates and starts the pod, with no step running. Repeating it for an existing pod attaches to that. */
  readonly start: (pod: PodSpec, signal: AbortSignal) => Promise<PodHandle>;
  /** The handle of a pod that is already there, after a restart of the executor; undefined if there is none. */
  readonly attach: (podId: string, signal: AbortSignal) => Promise<PodHandle | undefined>;
  /** All pods of the group that belong to `installation`, uncached and complete, or it throws. */
  readonly list: (installation: string, signal: AbortSignal) => Promise<readonly PodEntry[]>;
  /** Kills whatever runs in it and removes the pod with everything that belongs to it. No pod is no fault. */
  readonly remove: (podId: string, graceMs: number, signal: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface PodSpec {
  readonly id: string;
  readonly owner: PodOwner;
  readonly arch: string | undefined;
  /** Empty for drivers that ignore images is not allowed by the definition; the first is the main one. */
  readonly containers: readonly PodContainer[];
  /** The pod ends by itself at this time (ms), whatever happens to its executor. */
  readonly deadlineAt: number;
  /** No step starts later than this (ms). */
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
  /** The pod's home and root for relative paths: the executor reads and writes archives below it. */
  readonly files: PodFiles;
  /** Starts a step detached; repeating it for a step that was started does nothing. */
  readonly startStep: (step: StepSpec, signal: AbortSignal) => Promise<void>;
  /** Waits until the step has ended, reconnecting as often as it takes. */
  readonly waitStep: (index: number, signal: AbortSignal) => Promise<StepEnd>;
  /** Bytes of the step's output (stdout and stderr as one) from `offset`; empty if there are none yet. */
  readonly readOutput: (index: number, offset: number, maxBytes: number, signal: AbortSignal) => Promise<Uint8Array>;
  /** SIGTERM to the step, after `graceMs` SIGKILL; resolves once nothing of it runs. */
  readonly stopStep: (index: number, graceMs: number, signal: AbortSignal) => Promise<void>;
  /** Tells the pod that its executor is there (see `fenceMs`). */
  readonly touch: (signal: AbortSignal) => Promise<void>;
}

export interface StepSpec {
  readonly index: number;
  /** The script, handed to `shell` on a file that only the pod sees. */
  readonly command: string;
  readonly shell: readonly string[];
  readonly workingDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
}

export type StepEnd =
  | { readonly type: "exited"; readonly exitCode: number; readonly finishedAt: number }
  | { readonly type: "gone"; readonly reason: AttemptReason; readonly message: string };

/** The pod's file system as archives see it; paths are as the step would write them (`~` is the home). */
export interface PodFiles {
  /** A tar stream of the files below `sourceDir` that match one of `paths` (globs relative to it). */
  readonly pack: (what: { readonly sourceDir: string; readonly destDir: string; readonly paths: readonly string[] }, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Unpacks a tar stream below `destDir`; refuses entries that would leave it. */
  readonly unpack: (destDir: string, tar: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  readonly read: (path: string, maxBytes: number, signal: AbortSignal) => Promise<Uint8Array | undefined>;
}
