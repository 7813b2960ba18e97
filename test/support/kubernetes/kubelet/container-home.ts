import type { KubeObject } from "../kube-object.ts";
import type { ObjectStore } from "../object-store.ts";
import type { PodSpec } from "../pod-spec.ts";
import type { Recorder } from "../recorder.ts";
import type { Credentials, ImageRule } from "./images.ts";
import type { Pacing } from "./pacing.ts";

/** What a container needs to know of its pod and of its node. */
export interface ContainerHome {
  readonly pod: KubeObject;
  readonly spec: PodSpec;
  readonly store: ObjectStore;
  readonly recorder: Recorder;
  readonly pacing: Pacing;
  readonly imagesFolder: string;
  readonly podFolder: string;
  readonly rules: Readonly<Record<string, ImageRule>>;
  readonly credentials: () => Credentials;
  /** Something has changed that the status shows. */
  readonly changed: () => void;
}
