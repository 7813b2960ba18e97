import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PoolMessage } from "../../../../src/actors/pool/messages.ts";
import { fits } from "../../../../src/actors/pool/requirement.ts";
import { hasFreeSlot, type PoolState, slotsOf } from "../../../../src/actors/pool/state.ts";
import { parseAssignmentId } from "../../../../src/ids.ts";
import { mailOf, type Stage } from "../stage.ts";
import { executor, pool, request, runId, stagePool } from "./cast.ts";

const requirements = [{}, { arch: "arm64" }, { labels: { size: "big" } }, { privileged: true }, { labels: { gpu: "none-has-it" } }];
const abilities = [{}, { archs: ["arm64", "amd64"] }, { labels: { size: "big", more: "x" } }, { allowPrivileged: true }];

/** What a task needs, and whose it is, never changes. */
const aRequest = fc
  .record({
    run: fc.integer({ min: 1, max: 5 }),
    task: fc.integer({ min: 0, max: 3 }),
    attempt: fc.integer({ min: 1, max: 2 }),
    queueTimeoutMs: fc.constantFrom(500, 60_000),
    avoid: fc.subarray(["x", "y"]),
  })
  .map(({ run, task, ...rest }) => {
    const requirement = requirements[(run + task) % requirements.length] ?? {};
    return request(run, { ...rest, task, requirement, root: `/root/${run % 3}`, priority: run % 2 });
  });

const anExecutor = fc
  .record({
    id: fc.constantFrom("x", "y", "z"),
    life: fc.constantFrom("active" as const, "active" as const, "cordoned" as const, "suspect" as const, "lost" as const),
    taskLimit: fc.integer({ min: 1, max: 3 }),
    abilities: fc.constantFrom(...abilities),
  })
  .map(({ id, life, taskLimit, abilities: has }) => executor(id, { life, taskLimit, ...has }));

/** A release names a live assignment by its position, since ids follow from what was decided before. */
type Step = PoolMessage | { readonly type: "release-nth"; readonly nth: number; readonly failed: boolean | undefined };

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: aRequest },
  { weight: 3, arbitrary: anExecutor },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("release-nth" as const), nth: fc.nat(9), failed: fc.constantFrom(true, false, undefined) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("withdraw" as const),
      run: fc.integer({ min: 1, max: 5 }).map(runId),
      task: fc.integer({ min: 0, max: 3 }),
      attempt: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom("x", "y").map((id) => ({ type: "executor-gone" as const, executor: id })) },
  { weight: 1, arbitrary: fc.constantFrom("x", "y").map((id) => ({ type: "executor-removed" as const, executor: id })) },
  { weight: 2, arbitrary: fc.constant({ type: "tick" as const }) },
);

/** Tells the steps one after another, 100 ms apart, and looks at what each did. */
function play(steps: readonly Step[], look: (step: Look) => void): Stage<PoolState, PoolMessage> {
  const stage = stagePool();
  steps.forEach((step, index) => {
    const message = messageOf(stage, step);
    if (!message) return;
    const before = new Set(stage.state().live.keys());
    const { effects } = stage.tell(message, index * 100);
    look({ stage, message, effects, before, index });
  });
  return stage;
}

interface Look {
  readonly stage: Stage<PoolState, PoolMessage>;
  readonly message: PoolMessage;
  readonly effects: ReturnType<Stage<PoolState, PoolMessage>["tell"]>["effects"];
  readonly before: ReadonlySet<string>;
  readonly index: number;
}

function messageOf(stage: Stage<PoolState, PoolMessage>, step: Step): PoolMessage | undefined {
  if (step.type !== "release-nth") return step;
  const live = [...stage.state().live.values()];
  const found = live[step.nth % Math.max(1, live.length)];
  if (!found) return undefined;
  const { assignment, executor: on } = found;
  return { type: "release", assignment, executor: on, ...(step.failed === undefined ? {} : { infrastructureFailure: step.failed }) };
}

function check(property: fc.IPropertyWithHooks<[Step[]]>): void {
  fc.assert(property, { numRuns: 60 });
}

const steps = fc.array(aStep, { minLength: 1, maxLength: 60, size: "max" });

describe("whatever a pool is told, in whatever order and how often", () => {
  it("gives no executor more than its slots, and nothing that it may not run", () => {
    check(
      fc.property(steps, (all) => {
        const wanted = new Map<string, PoolMessage & { type: "request" }>();
        play(all, ({ stage, message, effects }) => {
          if (message.type === "request") wanted.set(`${message.run}-${message.task}-${message.attempt}`, message);
          for (const effect of effects) {
            if (effect.type !== "assign") continue;
            const on = stage.state().executors.get(effect.executor);
            const parts = parseAssignmentId(effect.assignment);
            const what = wanted.get(`${parts?.runId}-${parts?.task}-${parts?.attempt}`);
            if (!on || !what) throw new Error("something was assigned that nobody asked for, or to nobody");
            expect(on.live).toBeLessThanOrEqual(slotsOf(on));
            expect(on.incarnation).toBe(effect.incarnation);
            expect(fits(what.requirement, on.description)).toBe(true);
          }
        });
      }),
    );
  });

  it("has one live assignment per task at most, and never places what is live once more", () => {
    check(
      fc.property(steps, (all) => {
        play(all, ({ stage, effects, before }) => {
          const { live, liveOfTask } = stage.state();
          expect(liveOfTask.size).toBe(live.size);
          for (const effect of effects) if (effect.type === "assign") expect(before.has(effect.assignment)).toBe(false);
        });
      }),
    );
  });

  it("lets nothing wait that an executor with a free slot could be given", () => {
    check(
      fc.property(steps, (all) => {
        play(all, ({ stage }) => {
          const free = [...stage.state().executors.values()].filter(hasFreeSlot);
          for (const { request: waiting } of stage.state().waiting.values()) {
            expect(free.filter(({ description }) => fits(waiting.requirement, description))).toEqual([]);
          }
        });
      }),
    );
  });

  it("ends every request in exactly one of assigned, withdrawn and queue-timeout", () => {
    check(
      fc.property(steps, (all) => {
        const open = new Set<string>();
        const stage = play(all, ({ stage: now, message, effects, before }) => {
          const known = (run: string, task: number) => [...before].some((id) => id.startsWith(`${run}-${task}-`));
          if (message.type === "request" && !known(message.run, message.task)) {
            for (const key of open) if (key.startsWith(`${message.run}-${message.task}-`)) open.delete(key);
            const waits = now.state().waiting.get(`${message.run}-${message.task}`)?.request.attempt ?? message.attempt;
            open.add(`${message.run}-${message.task}-${waits}`);
          } else if (message.type === "request" && now.state().waiting.has(`${message.run}-${message.task}`)) {
            open.add(`${message.run}-${message.task}-${message.attempt}`);
          }
          for (const { to, message: answer } of mailOf(effects)) {
            const ended = answerOf(to, answer);
            if (ended) open.delete(ended);
          }
        });
        const waiting = [...stage.state().waiting.values()].map(({ request: { run, task, attempt } }) => `${run}-${task}-${attempt}`);
        expect([...open].sort()).toEqual(waiting.sort());
      }),
    );
  });

  it("stores exactly what it knows: a new owner sees the same backlog, book and executors", () => {
    check(
      fc.property(steps, (all) => {
        const stage = play(all, ({ stage: now, index }) => {
          if (index % 3 === 0) now.commit();
        });
        stage.commit();
        const seen = pictureOf(stage.state());
        stage.takeOver("s2");
        expect(pictureOf(stage.state())).toEqual(seen);
      }),
    );
  });

  it("answers everything once it has an executor for everything and time passes", () => {
    check(
      fc.property(steps, (all) => {
        const stage = play(all, () => {});
        stage.tell(executor("all", { taskLimit: 100, archs: ["arm64"], labels: { size: "big" }, allowPrivileged: true }), 10_000);
        for (let now = 10_000; stage.state().waiting.size > 0; now = pool.deadline(stage.state()) ?? 0) stage.tell({ type: "tick" }, now);
        expect(stage.state().expiries.chunks).toEqual([]);
        expect(stage.state().classes.size).toBe(0);
      }),
    );
  });
});

function answerOf(to: string, message: unknown): string | undefined {
  if (typeof message !== "object" || message === null || !("task" in message) || !("attempt" in message) || !("type" in message))
    return undefined;
  if (message.type === "check-request") return undefined;
  return `${to.slice("run/".length)}-${message.task}-${message.attempt}`;
}

function pictureOf(state: PoolState): unknown {
  const byKey = <Value>(map: ReadonlyMap<string, Value>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    waiting: byKey(state.waiting).map(([, { request: waiting }]) => waiting),
    live: byKey(state.live).map(([, { checkedAt: _, ...rest }]) => rest),
    executors: byKey(state.executors),
    free: byKey(state.free).map(([kind, { executors }]) => [kind, executors.chunks.flat().map(({ id }) => id)]),
    expiries: state.expiries.chunks.flat(),
  };
}

describe("fairness", () => {
  it("serves root groups equally while all of them wait, however much each brings", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 5, max: 12 }), { minLength: 2, maxLength: 4 }), (sizes) => {
        const stage = stagePool();
        sizes.forEach((size, group) => {
          for (let task = 0; task < size; task++) stage.tell(request(group + 1, { task, root: `/group/${group}` }));
        });
        const rounds = Math.min(...sizes);
        const { effects } = stage.tell(executor("a", { taskLimit: rounds * sizes.length }));
        const counts = new Map<string, number>();
        for (const { to } of mailOf(effects)) counts.set(to, (counts.get(to) ?? 0) + 1);
        expect([...counts.values()]).toEqual(sizes.map(() => rounds));
      }),
      { numRuns: 30 },
    );
  });
});
