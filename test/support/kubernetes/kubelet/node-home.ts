import type { ObjectStore } from "../object-store.ts";
import type { Recorder } from "../recorder.ts";
import type { ImageRule } from "./images.ts";
import type { Pacing } from "./pacing.ts";

/** What a node agent has: its place on the disk and its way to the API. */
export interface NodeHome {
  readonly store: ObjectStore;
  readonly recorder: Recorder;
  readonly pacing: Pacing;
  /** Pods have their folders below it. */
  readonly folder: string;
  readonly imagesFolder: string;
  readonly rules: Readonly<Record<string, ImageRule>>;
  /** Resolves once the node agent is alive and can reach the API. */
  readonly whenReachable: () => Promise<void>;
}
