import type { TestRedis } from "../test/support/redis.ts";
import { startInstallation } from "./ostler/installation.ts";
import { quantile } from "./quantile.ts";

export interface HopFigures {
  readonly fsync: "never" | "always";
  /** From the end of a parent to the start of its child, as their executor timed both. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly count: number;
}

const chains = 60;

/** One chain of ten at a time: nothing waits for anything but its own hop. */
export async function measureHops(server: TestRedis): Promise<Omit<HopFigures, "fsync">> {
  const installation = await startInstallation(server);
  try {
    await installation.run({ shape: "chain-10", runs: 50, concurrency: 1 });
    const spans = await installation.hops(chains);
    return { p50Ms: quantile(spans, 0.5), p99Ms: quantile(spans, 0.99), count: spans.length };
  } finally {
    await installation.close();
  }
}
