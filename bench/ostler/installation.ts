import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { archiveQueue, openQueue } from "../../src/actors/wakes.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import type { TestRedis } from "../../test/support/redis.ts";
import { until } from "../../test/support/until.ts";
import { startChild } from "../child.ts";
import type { Shape } from "../shapes.ts";
import { measure, type Usage } from "../usage.ts";
import { settings } from "./settings.ts";

/** An installation of ostler for a benchmark: a scheduler, an executor with the in-process driver, and a submitter. */
export interface BenchInstallation {
  /** Runs `runs` runs to their end, and answers what that cost; archiving begins 5 s later and is not in it. */
  readonly run: (work: { readonly shape: Shape; readonly runs: number; readonly concurrency: number }) => Promise<Usage>;
  /** Waits until everything that has ended is archived and forgotten, and answers what that cost. */
  readonly archive: () => Promise<Usage>;
  readonly pids: readonly number[];
  /** Runs chains of ten one after another, and answers the spans (ms) between the end of a task and the start of the next. */
  readonly hops: (chains: number) => Promise<readonly number[]>;
  /** What each process holds in memory now. */
  readonly residentMiB: () => readonly number[];
  readonly close: () => Promise<void>;
}

const Spans = z.array(z.number());

const patienceMs = 600_000;

export async function startInstallation(server: TestRedis): Promise<BenchInstallation> {
  const folder = await mkdtemp(join(tmpdir(), "ostler-bench-"));
  const place = { url: server.url, folder };
  const config = settings(place);
  const keys = createKeys(config.redisPrefix);
  const redis = createRedis(server.url, "commands");
  await redis.flushall();
  const role = (name: "scheduler" | "executor") => startChild(new URL("./role.ts", import.meta.url), { ...place, role: name });
  const scheduler = await role("scheduler");
  const executor = await role("executor");
  const submitter = await startChild(new URL("./submitter.ts", import.meta.url), place);
  const children = [scheduler, executor, submitter];
  const pids = children.map(({ pid }) => pid);
  const shards = Array.from({ length: config.shards }, (_, shard) => shard);

  const watch = watchEnds(server, keys.events);

  // Archiving is measured by itself: its queue stands still while runs are measured.
  const queueConnection = createRedis(server.url, "queue");
  const archiveJobs = openQueue(archiveQueue, queueConnection, keys, (error) => console.error(error));
  await archiveJobs.pause();

  const measured = (work: () => Promise<void>) => measure({ redis, redisPid: server.pid(), nodePids: pids, work });

  const runOne = async (shape: Shape) => {
    const ended = watch.next(1);
    await submitter.ask({ shape, runs: 1, concurrency: 1 });
    await ended;
  };

  return {
    pids,
    hops: async (chains) => {
      await executor.ask("forget the hops so far");
      for (let i = 0; i < chains; i++) await runOne("chain-10");
      return Spans.parse(await executor.ask("hops"));
    },
    residentMiB: () => pids.map(residentMiB),
    run: ({ shape, runs, concurrency }) =>
      measured(async () => {
        const ended = watch.next(runs);
        await submitter.ask({ shape, runs, concurrency });
        await ended;
      }),
    archive: async () => {
      const usage = await measured(async () => {
        await archiveJobs.resume();
        await until(
          "all runs are archived",
          async () => {
            const lengths = await Promise.all(shards.map((shard) => redis.hlen(keys.effects(shard))));
            return lengths.every((length) => length === 0);
          },
          patienceMs,
        );
      });
      await archiveJobs.pause();
      return usage;
    },
    close: async () => {
      await watch.stop();
      await Promise.all(children.map((child) => child.stop()));
      await archiveJobs.close();
      queueConnection.disconnect();
      redis.disconnect();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function residentMiB(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kib) / 1024);
}

/** Follows the event stream on a connection of its own and counts runs that finish. */
function watchEnds(server: TestRedis, stream: string) {
  const connection = createRedis(server.url, "blocking");
  let finished = 0;
  let stopped = false;
  let goal = { count: Number.POSITIVE_INFINITY, reach: () => {} };
  const follow = async () => {
    await connection.connect();
    let after = "$";
    while (!stopped) {
      const answer = await connection.xread("COUNT", 200, "BLOCK", 1_000, "STREAMS", stream, after);
      for (const [, entries] of answer ?? []) {
        for (const [id, fields] of entries) {
          after = id;
          finished += fields.join("").split('"phase":"finished"').length - 1;
        }
      }
      if (finished >= goal.count) goal.reach();
    }
  };
  const following = follow().catch((error: unknown) => {
    if (!stopped) throw error;
  });
  return {
    /** Resolves once `count` more runs have finished. */
    next: (count: number) =>
      new Promise<void>((reach) => {
        goal = { count: finished + count, reach };
      }),
    stop: () => {
      stopped = true;
      connection.disconnect();
      return following;
    },
  };
}
