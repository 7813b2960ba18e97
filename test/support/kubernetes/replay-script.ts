import type { Caller, ClusterUnderTest } from "./cluster-under-test.ts";
import type { GoldenRequest } from "./golden.ts";

/** What a recording leaves to the one who plays it. */
export interface Script {
  /** Makes what was there before the recording. */
  readonly before?: (cluster: ClusterUnderTest) => Promise<void>;
  /** Says what stands in this cluster for versions and tokens that the recording learned before it began. */
  readonly names?: (cluster: ClusterUnderTest) => Promise<Names>;
  /** What happened between the lines: done right before the line at that time of the recording. */
  readonly at?: Readonly<Record<number, (cluster: ClusterUnderTest) => Promise<void> | void>>;
  /** Requests (by time) and streams (by name) that are not played, each with its reason. */
  readonly leaveOut?: Readonly<Record<number | string, string>>;
  /** Sockets (by the time of their request) that the client of the recording closed or cut, after what was recorded until then. */
  readonly clientEnds?: Readonly<Record<number, "close" | "cut">>;
  /** Streams that the recording stopped watching before its end. */
  readonly closedEarly?: readonly string[];
  /** Texts that may differ between two runs, and what stands for all of them. */
  readonly alike?: readonly (readonly [RegExp, string])[];
  /** Its objects are cut without a mark. */
  readonly cut?: true;
  /** Why it can only be played against the simulated cluster. */
  readonly simulated?: string;
  /** It needs a cluster of its own. */
  readonly alone?: true;
  readonly caller?: (request: GoldenRequest) => Caller | undefined;
}

/** Versions and tokens of the recording, and what this cluster has in their place. */
export type Names = Readonly<Record<string, string>>;
