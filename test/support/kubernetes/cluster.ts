import type { User } from "./access.ts";
import type { Nodes } from "./nodes.ts";
import type { ObjectStore } from "./object-store.ts";
import type { RequestLog } from "./request-log.ts";
import type { StreamCutter } from "./stream-cutter.ts";

/** The parts of the simulated cluster that requests are about. */
export interface Cluster {
  readonly store: ObjectStore;
  readonly nodes: Nodes;
  readonly requests: RequestLog;
  readonly cutter: StreamCutter;
  readonly speed: number;
  /** The user of a bearer token; undefined for one that is not known. */
  readonly userOf: (token: string) => User | undefined;
}
