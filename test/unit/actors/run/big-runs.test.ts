import { describe, expect, it } from "vitest";
import type { Effect } from "../../../../src/actors/actor.ts";
import { PoolMessage } from "../../../../src/actors/pool/messages.ts";
import type { RunMessage } from "../../../../src/actors/run/messages.ts";
import { maxRulings } from "../../../../src/actors/run/settle.ts";
import { assignmentId } from "../../../../src/ids.ts";
import { actor, createdAt, effectsOf, freshlyCreated, known, runId, storedRun } from "./fixtures.ts";
import { Play, session } from "./play.ts";

const image = "x";

function fan(size: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: size }, (_, index) => [`t${index}`, { image }]));
}

function chain(size: number): Record<string, unknown> {
  const tasks = Array.from({ length: size }, (_, index) => [`t${index}`, index === 0 ? { image } : { image, depends: [`t${index - 1}`] }]);
  return Object.fromEntries(tasks);
}

/** An array that counts how often an element is read. */
function counted<Item>(items: readonly Item[]): { readonly items: Item[]; readonly reads: () => number } {
  let reads = 0;
  const proxy = new Proxy([...items], {
    get: (target, key, receiver) => {
      if (typeof key === "string" && key !== "length") reads++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { items: proxy, reads: () => reads };
}

/** Runs every task of a definition to success, on the cached state alone, and counts what that costs. */
function complete(tasks: Record<string, unknown>) {
  const fresh = actor.decode(runId, freshlyCreated(storedRun({ tasks })));
  const { items, reads } = counted(known(fresh).tasks);
  let state: typeof fresh = { ...known(fresh), tasks: items };
  const before = reads();
  let messages = 0;
  let largest = 0;
  const inbox: RunMessage[] = [{ type: "create", number: 1 }, { type: "start" }];
  for (let message = inbox.shift(); message; message = inbox.pop()) {
    messages++;
    const { changes, effects } = actor.decide(state, message, { now: createdAt + messages, session });
    largest = Math.max(largest, changes.length);
    for (const change of changes) state = actor.apply(state, change);
    for (const answer of answers(effects)) inbox.push(answer);
  }
  return { head: known(state).head, counts: known(state).index.counts, messages, largest, visits: reads() - before };
}

/** The pool places at once, and the executor succeeds at once. */
function answers(effects: readonly Effect[]): readonly RunMessage[] {
  return effectsOf(effects, "send").flatMap(({ to, message }): RunMessage[] => {
    if (to.kind === "run") return [actor.parseMessage(message)];
    const request = to.kind === "pool" ? PoolMessage.parse(message) : undefined;
    if (request?.type !== "request") return [];
    const { task, attempt } = request;
    const assignment = assignmentId({ runId, task, attempt, session });
    const outcome = { phase: "success", startedAt: createdAt, finishedAt: createdAt, ranStep: false } as const;
    return [
      { type: "attempt-ended", assignment, outcome },
      { type: "assigned", task, attempt, assignment, executor: "e" },
    ];
  });
}

describe("a run of 100,000 tasks", () => {
  const size = 100_000;

  it.each([
    ["fan", fan],
    ["chain", chain],
  ])(
    "as a %s completes with a number of visits that grows with its tasks only",
    (_, shape) => {
      const visitsPerTask = (tasks: number) => {
        const { head, counts, visits } = complete(shape(tasks));
        expect([head.phase, head.result, counts.success]).toEqual(["finished", "success", tasks]);
        return visits / tasks;
      };
      const few = visitsPerTask(500);
      expect(few).toBeLessThan(40);
      expect(visitsPerTask(4000)).toBeLessThan(1.2 * few);
      expect(visitsPerTask(size)).toBeLessThan(1.2 * few);
    },
    120_000,
  );

  it("never decides about more than a thousand tasks at once", () => {
    const { largest, messages } = complete(fan(10 * maxRulings));
    expect(largest).toBeLessThanOrEqual(maxRulings + 2);
    expect(messages).toBeGreaterThan(10);
  });
});

describe("a run of more than 64 tasks", () => {
  it("writes only the tasks that have changed, each in a field of its own", () => {
    const play = Play.running({ tasks: fan(65) });
    const all = play.stored.parts[2];
    expect(Object.keys(typeof all === "object" && all ? all : {})).toHaveLength(65);
    const decision = actor.decide(play.state, { type: "queue-timeout", task: 3, attempt: 1 }, { now: play.now, session });
    const state = decision.changes.reduce((current, change) => actor.apply(current, change), play.state);
    const { state: text, hashes } = actor.encode(runId, state, decision.changes);
    expect(hashes.map(({ key, set }) => [key, Object.keys(set)])).toEqual([[`tasks:${runId}`, ["3"]]]);
    expect(text?.length).toBeLessThan(100);
  });

  it("is stopped in portions, and is stopping at once", () => {
    const tasks = {
      ...fan(1),
      ...Object.fromEntries(Array.from({ length: 2500 }, (_, index) => [`x${index}`, { image, depends: ["t0"] }])),
    };
    const play = Play.running({ tasks });
    play.tell({ type: "stop", by: "ann", force: false });
    expect(play.view.result).toBe("stopped");
    play.withdrawn("t0");
    expect(play.run.index.counts.skipped).toBe(2501);
    expect(play.view.phase).toBe("finished");
  });

  it("goes on deciding when its own mail is lost", () => {
    const stored = freshlyCreated(storedRun({ tasks: fan(1500) }));
    let state = actor.decode(runId, stored);
    const tell = (message: RunMessage, now: number) => {
      for (const change of actor.decide(state, message, { now, session }).changes) state = actor.apply(state, change);
    };
    tell({ type: "start" }, createdAt);
    expect(known(state).index.active.size).toBe(maxRulings);
    expect(actor.deadline(state)).toBe(0);
    tell({ type: "tick" }, createdAt + 1);
    expect(known(state).index.active.size).toBe(1500);
  });
});
