/**
 * What a placement costs the pool actor: 1,000 executors of 20 kinds, 100,000 waiting tasks of 50 requirement classes
 * and 200 root groups. `node bench/placement.ts`
 */
import { performance } from "node:perf_hooks";
import type { ExecutorDescription } from "../src/actors/executor/description.ts";
import { createPoolActor } from "../src/actors/pool/actor.ts";
import type { PoolMessage } from "../src/actors/pool/messages.ts";
import { createKeys } from "../src/redis/keys.ts";

const executors = 1_000;
const slotsEach = 4;
const waiting = 100_000;
const classes = 50;
const kinds = 20;
const groups = 200;

const pool = createPoolActor({ keys: createKeys("{bench}") });
const context = { now: 1_800_000_000_000, session: "bench" };

/** Decides and applies like an owner, and encodes once per 1,000 messages. Returns assignments made. */
function createTeller() {
  let state = pool.decode("default", { state: null, parts: [{}, {}, {}] });
  let changes: Parameters<typeof pool.encode>[2][number][] = [];
  return {
    state: () => state,
    tell: (message: PoolMessage): readonly string[] => {
      const decision = pool.decide(state, message, context);
      for (const change of decision.changes) state = pool.apply(state, change);
      changes.push(...decision.changes);
      if (changes.length >= 1_000) {
        pool.encode("default", state, changes);
        changes = [];
      }
      return decision.effects.flatMap((effect) => (effect.type === "assign" ? [effect.assignment] : []));
    },
  };
}

function description(index: number): ExecutorDescription {
  const kind = index % kinds;
  const labels = Object.fromEntries(Array.from({ length: classes }, (_, label) => [`l${label}`, "x"]));
  return {
    ...{ id: `executor-${index}`, pool: "default", group: "group", driver: "process", archs: ["amd64"] },
    labels: { ...labels, kind: String(kind) },
    ...{ taskLimit: slotsEach, allowPrivileged: false, dynamic: false, version: "1" },
  };
}

function request(index: number): PoolMessage {
  const run = `${"0".repeat(16)}${String(Math.floor(index / 100)).padStart(10, "0")}`;
  return {
    type: "request",
    ...{ run, task: index % 100, attempt: 1, requirement: { labels: { [`l${index % classes}`]: "x" } } },
    ...{ root: `/group/${index % groups}`, group: `/group/${index % groups}/main` },
    ...{ priority: index % 3, runCreatedAt: index, queueTimeoutMs: 86_400_000 },
  };
}

function measure(name: string, placements: number, work: () => void): void {
  const started = performance.now();
  work();
  const ms = performance.now() - started;
  console.log(`${name.padEnd(58)} ${((ms * 1_000) / placements).toFixed(1).padStart(8)} us each, ${placements} in ${ms.toFixed(0)} ms`);
}

const { tell, state } = createTeller();
for (let index = 0; index < executors; index++) {
  const incarnation = `i${index}`;
  tell({ type: "executor-changed", executor: `executor-${index}`, incarnation, life: "active", description: description(index) });
}
const live: string[] = [];
const slots = executors * slotsEach;
measure("place as it arrives, while executors are free", slots, () => {
  for (let index = 0; index < slots; index++) live.push(...tell(request(index)));
});
measure("queue, while none is free", waiting, () => {
  for (let index = 0; index < waiting; index++) tell(request(slots + index));
});
measure("release and place the next one", waiting, () => {
  for (let done = 0; done < waiting; done++) {
    const assignment = live[done] ?? "";
    const executor = state().live.get(assignment)?.executor ?? "";
    live.push(...tell({ type: "release", assignment, executor }));
  }
});
if (live.length !== slots + waiting) throw new Error(`placed ${live.length} of ${slots + waiting}`);
console.log(`heap: ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB`);
