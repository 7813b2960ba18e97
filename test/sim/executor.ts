import type { ExecutorDescription } from "../../src/actors/executor/description.ts";
import { parseAssignmentId } from "../../src/ids.ts";
import type { AttemptOutcome } from "../../src/runs/outcome.ts";
import { type ExecutorScripts, executorScripts, type Refusal } from "./executor-scripts.ts";
import { type Platform, type Pod, runs as podRuns } from "./platform.ts";
import { createProcess, type Process } from "./process.ts";
import { startSiblings } from "./siblings.ts";
import { fenceMs, type Surroundings, ttlMs } from "./surroundings.ts";

const beatMs = 5_000;
const beatsPerLook = 3;
const resendMs = 15_000;
const watchMs = 250;

/** An executor of the simulated world: a disk, and one process after the other. */
export interface SimulatedExecutor {
  readonly description: ExecutorDescription;
  readonly platform: Platform;
  readonly process: () => Process | undefined;
  /** Starts a process, if none runs. */
  readonly start: () => void;
  readonly kill: () => void;
  /** Drains and leaves; stays away until it is started again. */
  readonly leave: () => void;
  /** Something in its `todo` has changed. */
  readonly wake: () => void;
}

export function createSimulatedExecutor(world: Surroundings, platform: Platform, description: ExecutorDescription): SimulatedExecutor {
  /** Reports survive their process. */
  const disk = new Map<string, unknown>();
  let process: Process | undefined;
  let session: Session | undefined;
  let deadIncarnation = "";

  const run = async (own: Process) => {
    const scripts = executorScripts(world.redis, world.keys, world.shards, description);
    for (;;) {
      const incarnation = world.chance.id(10);
      const how = await persist(own, () => scripts.register({ incarnation, ttlMs, fenceMs, deadIncarnation }));
      if (how === "alive") {
        await own.sleep(1_000);
        continue;
      }
      deadIncarnation = incarnation;
      world.trace(`${description.id} registered ${incarnation}: ${how}`);
      session = createSession({ world, platform, description, process: own, scripts, incarnation, disk, returned: how === "lost-before" });
      const why = await session.over;
      world.trace(`${description.id} ${incarnation} is over: ${why}`);
      if (why === "left" || why === "superseded") return own.kill();
      for (const { id, owner } of platform.list()) if (owner.executor === description.id) platform.remove(id);
    }
  };

  return {
    description,
    platform,
    process: () => (process?.isAlive() ? process : undefined),
    start: () => {
      if (process?.isAlive()) return;
      process = createProcess(world);
      void run(process);
    },
    kill: () => {
      world.trace(`${description.id} is killed`);
      process?.kill();
    },
    leave: () => session?.leave(),
    wake: () => session?.wake(),
  };
}

/** Asks until there is an answer. */
async function persist<Answer>(process: Process, script: () => Answer): Promise<Answer> {
  for (;;) {
    const answer = await process.ask(() => ({ given: script() })).catch(() => undefined);
    if (answer) return answer.given;
    await process.sleep(500);
  }
}

interface Session {
  readonly over: Promise<Refusal | "left">;
  readonly wake: () => void;
  readonly leave: () => void;
}

interface SessionOptions {
  readonly world: Surroundings;
  readonly platform: Platform;
  readonly description: ExecutorDescription;
  readonly process: Process;
  readonly scripts: ExecutorScripts;
  readonly incarnation: string;
  readonly disk: Map<string, unknown>;
  readonly returned: boolean;
}

/** What a process does under one incarnation: as `src/executors/agent.ts`, in small. */
function createSession(options: SessionOptions): Session {
  const { world, platform, description, process, scripts, incarnation, disk, returned } = options;
  const { timeline, chance } = world;
  const { promise: over, resolve } = Promise.withResolvers<Refusal | "left">();
  const busy = new Map<string, { stop: boolean; missing: number }>();
  /** Asked one at a time: the answer that it is held already must not come before the one that it is accepted. */
  const accepting = new Set<string>();
  const sentAt = new Map<string, number>();
  let ended = false;
  let renewedAt = timeline.now();
  let isLeaving = false;

  const end = (why: Refusal | "left") => {
    ended = true;
    resolve(why);
  };
  const mayStart = () => timeline.now() - renewedAt < ttlMs;

  const send = async (assignment: string, message: unknown) => {
    sentAt.set(assignment, timeline.now());
    for (;;) {
      const repeats = chance.happens(world.faults.duplicate) ? 2 : 1;
      if (chance.happens(world.faults.delay)) await process.sleep(chance.between(100, 5_000));
      if (ended) return;
      const reply = await process
        .ask(() => Array.from({ length: repeats }, () => scripts.report(incarnation, assignment, message)).at(-1) ?? "ok")
        .catch(() => undefined);
      if (reply === "ok") return;
      if (reply) return end(reply);
      await process.sleep(chance.between(50, 2_000));
    }
  };

  const conclude = async (assignment: string, outcome: AttemptOutcome) => {
    const message = { type: "attempt-ended", assignment, outcome, executor: description.id, pool: description.pool };
    world.trace(`${description.id} ends ${assignment}: ${outcome.reason ?? outcome.phase}`);
    disk.set(assignment, message);
    platform.remove(assignment);
    await send(assignment, message);
  };

  const begin = async (assignment: string, { resumed, startBy }: { readonly resumed: boolean; readonly startBy: number }) => {
    if (busy.has(assignment)) return;
    const entry = { stop: false, missing: 0 };
    busy.set(assignment, entry);
    while (!resumed && !mayStart() && !entry.stop && !ended) await process.sleep(100);
    if (ended) return;
    if (!resumed && !entry.stop) startPod(assignment, startBy);
    const pod = platform.find(assignment);
    const startedAt = pod?.endsAt === undefined ? undefined : world.redis.now();
    if (startedAt !== undefined) await send(assignment, { type: "attempt-started", assignment, at: startedAt });
    while (!ended && !entry.stop && pod && platform.find(assignment) && podRuns(pod, timeline.now())) await process.sleep(watchMs);
    if (ended) return;
    const finishedAt = world.redis.now();
    const times = { finishedAt, ranStep: startedAt !== undefined, ...(startedAt === undefined ? {} : { startedAt }) };
    const isDone = pod?.endsAt !== undefined && platform.find(assignment) !== undefined && timeline.now() >= pod.endsAt;
    if (isDone && pod) await conclude(assignment, { ...pod.outcome, ...times });
    else if (entry.stop) await conclude(assignment, { phase: "stopped", reason: "stopped", ...times });
    else await conclude(assignment, { phase: "failed", reason: "pod_lost", ...times });
    busy.delete(assignment);
  };

  const startPod = (assignment: string, startBy: number) => {
    const parts = parseAssignmentId(assignment);
    if (!parts) throw new Error(`not an assignment: ${assignment}`);
    const owner = { installation: "sim", executor: description.id, incarnation, group: description.group, runId: parts.runId };
    const isLate = timeline.now() > startBy;
    world.trace(`${description.id} starts ${assignment}${isLate ? ", too late" : ""}`);
    platform.start({
      id: assignment,
      owner: { ...owner, task: String(parts.task), attempt: parts.attempt },
      createdAt: timeline.now(),
      fenceMs,
      endsAt: isLate ? undefined : timeline.now() + chance.between(50, chance.happens(0.3) ? 200_000 : 3_000),
      outcome: chance.pick(outcomes),
      touchedAt: timeline.now(),
    });
  };

  const accept = async (assignment: string) => {
    if (accepting.has(assignment)) return;
    accepting.add(assignment);
    const askedAt = timeline.now();
    const verdicts = await process.ask(() => scripts.accept(incarnation, [assignment])).catch(() => undefined);
    accepting.delete(assignment);
    if (ended || verdicts === undefined) return;
    if (typeof verdicts === "string") return end(verdicts);
    const wasHeld = verdicts.get(assignment);
    if (wasHeld !== undefined) void begin(assignment, { resumed: wasHeld, startBy: askedAt + ttlMs });
  };

  const look = async () => {
    const todo = await process.ask(scripts.todo).catch(() => undefined);
    if (!todo || ended) return;
    for (const [assignment, entry] of busy) {
      if (todo.has(assignment)) entry.missing = 0;
      else entry.missing += 1;
      if (entry.missing >= 2) entry.stop = true;
    }
    for (const [assignment, wanted] of todo) {
      const entry = busy.get(assignment);
      const report = entry ? undefined : disk.get(assignment);
      if (report !== undefined) {
        if (timeline.now() - (sentAt.get(assignment) ?? -resendMs) >= resendMs) void send(assignment, report);
      } else if (wanted === "stop") {
        if (entry) entry.stop = true;
        else {
          void begin(assignment, { resumed: true, startBy: 0 });
          const begun = busy.get(assignment);
          if (begun) begun.stop = true;
        }
      } else if (!entry && wanted === `run:${incarnation}` && !isLeaving && mayStart()) void accept(assignment);
    }
  };

  const beat = async () => {
    for (let count = 1; !ended; count++) {
      if (timeline.now() - renewedAt >= fenceMs) for (const entry of busy.values()) entry.stop = true;
      const sent = timeline.now();
      if (!chance.happens(world.faults.loseHeartbeat)) {
        const reply = await process.ask(() => scripts.heartbeat(incarnation)).catch(() => undefined);
        if (ended) return;
        if (reply && reply !== "ok") return end(reply);
        if (reply) {
          renewedAt = sent;
          for (const assignment of busy.keys()) touch(assignment, sent);
        }
      }
      if (count % beatsPerLook === 0) void look();
      if (isLeaving && busy.size === 0) await sayGoodBye();
      await process.sleep(beatMs);
    }
  };

  const touch = (assignment: string, at: number) => {
    const pod = platform.find(assignment);
    if (pod) pod.touchedAt = at;
  };

  const sayGoodBye = async () => {
    const reply = await process.ask(() => scripts.leave(incarnation)).catch(() => undefined);
    if (reply && reply !== "busy") end(reply);
  };

  void beat();
  void look();
  startSiblings({
    ...{ world, platform, process, executor: description.id, incarnation, group: description.group, returned },
    isOver: () => ended,
    ownAssignments: () => new Set([...scripts.todo().keys(), ...busy.keys(), ...disk.keys()]),
  });
  return {
    over,
    wake: () => void process.sleep(1).then(look),
    leave: () => {
      isLeaving = true;
    },
  };
}

const success: Pod["outcome"] = { phase: "success", exitCode: 0 };
const outcomes: readonly [Pod["outcome"], ...Pod["outcome"][]] = [
  ...([success, success, success, success, success, success, success, success] as const),
  { phase: "failed", reason: "exit_code", exitCode: 1 },
  { phase: "failed", reason: "evicted" },
];
