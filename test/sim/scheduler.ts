import type { Logger } from "pino";
import { type AddWork, createHandout } from "../../src/actors/outlets.ts";
import { createOwner, type Owner } from "../../src/actors/owner.ts";
import { hostActors } from "../../src/actors/scheduler.ts";
import { createOwnerPort } from "./owner-port.ts";
import { createProcess, type Process } from "./process.ts";
import { type Surroundings, ttlMs } from "./surroundings.ts";

export const leaseMs = 5_000;

export interface SimulatedScheduler {
  readonly process: Process;
  readonly owner: Owner;
  /** SIGTERM: gives its shards up and ends. */
  readonly stop: () => void;
}

export interface SchedulerOptions {
  readonly world: Surroundings;
  readonly name: string;
  readonly addWork: AddWork;
  readonly wake: (executors: Iterable<string>) => void;
  readonly onCommitted: () => void;
  readonly log: Logger;
}

/** The real owner loop on the simulated Redis. */
export function startScheduler({ world, name, addWork, wake, onCommitted, log }: SchedulerOptions): SimulatedScheduler {
  const process = createProcess(world);
  const stop = new AbortController();
  const stopped = aborted(stop.signal);
  const { redis, keys, shards, timeline, chance } = world;
  const owner = createOwner({
    ...{ scheduler: name, shards, leaseMs, heartbeatTtlMs: ttlMs, keys, log },
    store: createOwnerPort({ process, redis, keys, shards, onCommitted }),
    hosts: hostActors(keys),
    wakes: { wake: (assigned) => wake(assigned.keys()), forget: () => {} },
    handout: createHandout(addWork, () => {}),
    monotonicMs: timeline.now,
    sleep: (ms) => Promise.race([process.sleep(ms), stopped]),
    randomId: chance.id,
  });
  void owner.run(stop.signal).then(process.kill);
  return { process, owner, stop: () => stop.abort() };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
