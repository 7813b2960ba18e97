import pino, { type Logger } from "pino";
import type { ExecutorDescription } from "../../src/actors/executor/description.ts";
import type { ExecutorMessage } from "../../src/actors/executor/messages.ts";
import type { RootGroupMessage } from "../../src/actors/root-group/messages.ts";
import { shardOfPool, shardOfRoot } from "../../src/ids.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { type Archive, createArchiver } from "./archiver.ts";
import { createChance } from "./chance.ts";
import { createClient, type KnownRun, roots } from "./client.ts";
import { createSimulatedExecutor, type SimulatedExecutor } from "./executor.ts";
import { planFaults } from "./faults.ts";
import { createInvariants } from "./invariants.ts";
import { createPlatform, type Platform, type Pod } from "./platform.ts";
import { createRedisServer } from "./redis-server.ts";
import { type SimulatedScheduler, startScheduler } from "./scheduler.ts";
import { type Faults, type Surroundings, ttlMs } from "./surroundings.ts";
import { createTimeline } from "./timeline.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly log?: Logger;
}

/** What became of a world. */
export interface WorldResult {
  /** Every event of every run that survived, in order: the same for the same seed. */
  readonly digest: string;
  readonly runs: number;
  readonly simulatedMs: number;
  readonly commits: number;
}

/** The simulated world's parts that faults act on. */
export interface World extends Surroundings {
  readonly faults: Faults;
  readonly executors: readonly SimulatedExecutor[];
  readonly platforms: readonly Platform[];
  readonly schedulers: SimulatedScheduler[];
  readonly startScheduler: () => void;
  /** An operator's command to an executor. */
  readonly operate: (executor: ExecutorDescription, message: ExecutorMessage) => void;
  /** Switches maintenance on or off, for every root group. */
  readonly maintain: (on: boolean) => void;
  /** Redis has just lost its last second: for a while a pod may run beside its successor. */
  readonly onRollBack: () => void;
}

const shards = 4;
const runsPerWorld = 24;
const troubleMs = 120_000;
const createdWithinMs = 90_000;
/** Longest: a fence time after the last loss, then retries, time-outs and approvals on top. */
const calmMs = 1_800_000;
/** An assignment that a roll-back undid may have been accepted before it, and its pod may start within the heartbeat's ttl. */
const forgivenMs = ttlMs + 5_000;
/** Sweeps every half a minute find what is left. */
const settleMs = 120_000;

/**
 * Lets a world with this seed happen: schedulers with the real owner loop and the real actors, on a simulated Redis, with
 * simulated executors, while everything fails that may fail. Then calm: every run must end. Throws if an invariant is broken.
 */
export async function simulate({ seed, log = pino({ level: "silent" }) }: WorldOptions): Promise<WorldResult> {
  const chance = createChance(seed);
  const timeline = createTimeline();
  const keys = createKeys("{sim}");
  const redis = createRedisServer({ timeline, chance, keys });
  const faults: Faults = { duplicate: 0.1, delay: 0.05, loseHeartbeat: 0.03, loseWake: 0.2 };
  const archive: Archive = new Map();
  const runs = new Map<string, KnownRun>();
  const pods = new Map<string, Pod>();
  let rolledBackAt = Number.NEGATIVE_INFINITY;
  let commits = 0;
  let broken: unknown;

  const onStart = (pod: Pod, beside: readonly Pod[]) => {
    const excused = (older: Pod) => rolledBackAt > older.createdAt - forgivenMs;
    for (const older of beside.filter((each) => !excused(each))) {
      broken ??= new Error(`${pod.id} on ${pod.owner.executor} runs beside ${older.id} on ${older.owner.executor}`);
    }
  };
  const onSiblingRemoval: Surroundings["onSiblingRemoval"] = ({ id, owner }) => {
    const record = redis.commands.hash(keys.executor(owner.executor));
    const lives = record.get("incarnation") === owner.incarnation && record.get("life") !== "lost";
    if (lives && rolledBackAt < timeline.now() - forgivenMs) broken ??= new Error(`A9: a sibling removed ${id} of a living executor`);
  };

  const trace = (what: string) => log.debug(`${(timeline.now() / 1_000).toFixed(3)} ${what}`);
  const surroundings: Surroundings = { timeline, chance, redis, keys, shards, faults, trace, onSiblingRemoval };
  const platforms = ["left", "right"].map((group) => createPlatform({ group, timeline, onStart, all: pods }));
  const executors = platforms.flatMap((platform) =>
    describeGroup(platform.group).map((description) => createSimulatedExecutor(surroundings, platform, description)),
  );
  const invariants = createInvariants({ world: surroundings, runs, executors, pools: ["default", "other"], archive });
  const addWork = createArchiver(surroundings, archive);
  const wake = (ids: Iterable<string>) => {
    const named = new Set(ids);
    for (const executor of executors) if (named.has(executor.description.id) && !chance.happens(faults.loseWake)) executor.wake();
  };
  const onCommitted = () => {
    commits += 1;
    try {
      invariants.check();
    } catch (error) {
      broken ??= error;
    }
  };

  const send = (shard: number, actor: string, message: ExecutorMessage | RootGroupMessage) => {
    if (redis.isUp()) redis.commands.xadd(keys.inbox(shard), "m", JSON.stringify([[actor, message]]));
  };
  const schedulers: SimulatedScheduler[] = [];
  const world: World = {
    ...surroundings,
    ...{ executors, platforms, schedulers },
    startScheduler: () => {
      const name = `scheduler-${chance.id(4)}`;
      schedulers.push(startScheduler({ world: surroundings, name, addWork, wake, onCommitted, log: log.child({ name }) }));
    },
    operate: ({ id, pool }, message) => send(shardOfPool(pool, shards), `executor/${id}`, message),
    maintain: (on) => {
      for (const root of roots) send(shardOfRoot(root, shards), `root-group/${root}`, { type: "maintenance", on });
    },
    onRollBack: () => {
      rolledBackAt = timeline.now();
      trace("Redis is rolled back");
    },
  };
  redis.commands.hset(keys.meta, "installation", "sim", "shards", shards);
  for (let count = 0; count < 3; count++) world.startScheduler();
  for (const executor of executors) executor.start();
  planClients(world, runs);
  const calmDown = planFaults(world, troubleMs);

  const until = async (isEnough: () => boolean) => {
    while (!isEnough() && broken === undefined && (await timeline.step())) {
      // Everything happens in the step.
    }
    if (broken !== undefined) throw broken;
  };
  await until(() => timeline.now() >= troubleMs);
  calmDown();
  const limit = timeline.now() + calmMs;
  await until(() => (timeline.now() % 1_000 === 0 && invariants.isOver()) || timeline.now() > limit);
  if (!invariants.isOver()) throw new Error(`these runs do not end: ${invariants.open().map(({ id }) => id)}`);
  const settled = timeline.now() + settleMs;
  await until(() => timeline.now() > settled);
  const leaks = invariants.leaks();
  if (leaks.length > 0) throw new Error(`something leaked:\n${leaks.join("\n")}`);
  const digest = [...archive].map(([id, events]) => `${id}\n${events.join("\n")}`).join("\n");
  return { digest, runs: runs.size, simulatedMs: timeline.now(), commits };
}

/** Two executors for the one pool, one for the other; one of each group's is big. */
function describeGroup(group: string): readonly ExecutorDescription[] {
  const base = { group, driver: "sim", archs: ["amd64"], allowPrivileged: false, version: "1" };
  return [
    { ...base, id: `${group}-1`, pool: "default", labels: { size: "big" }, taskLimit: 2, dynamic: false },
    { ...base, id: `${group}-2`, pool: "default", labels: {}, taskLimit: 1, dynamic: true },
    { ...base, id: `${group}-3`, pool: "other", labels: { size: "big" }, taskLimit: 1, dynamic: group === "left" },
  ];
}

function planClients(world: World, runs: Map<string, KnownRun>): void {
  const { timeline, chance } = world;
  const client = createClient(world);
  const later = (run: KnownRun, message: Readonly<Record<string, unknown>>) =>
    timeline.after(chance.between(500, 60_000), () => client.command(run, { ...message, by: "user" }));
  for (let count = 0; count < runsPerWorld; count++) {
    timeline.after(chance.between(1_000, createdWithinMs), () => {
      const run = client.create();
      if (!run) return;
      runs.set(run.id, run);
      if (chance.happens(0.2)) later(run, { type: "stop", force: chance.happens(0.3) });
      if (chance.happens(0.1)) later(run, { type: "cancel" });
      for (const { name, definition } of run.graph.tasks) {
        if (definition.needsApproval) later(run, { type: chance.happens(0.8) ? "approve" : "reject", task: name });
      }
    });
  }
}
