import type { Metrics } from "../metrics.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { ArchiveOutlets } from "./archive-run.ts";

/** What the workers of the archive queue and of the sweeps are given. */
export interface ArchiverOptions extends ArchiveOutlets {
  /** A connection of BullMQ's own, which the archiver closes. */
  readonly connect: () => RedisConnection;
  readonly metrics?: Pick<Metrics, "archive">;
}
