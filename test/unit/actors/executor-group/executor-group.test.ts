import { describe, expect, it } from "vitest";
import { createExecutorGroupActor } from "../../../../src/actors/executor-group/actor.ts";
import type { ExecutorGroupMessage } from "../../../../src/actors/executor-group/messages.ts";
import { group, leftovers, siblings } from "../../../../src/actors/executor-group/state.ts";
import { createStage, mailOf } from "../stage.ts";

const actor = createExecutorGroupActor();
type Life = Extract<ExecutorGroupMessage, { type: "member-changed" }>["life"];

function member(executor: string, life: Life, options: { incarnation?: string; unproven?: string } = {}): ExecutorGroupMessage {
  return { type: "member-changed", executor, pool: "default", incarnation: `${executor}-1`, life, ...options };
}

function podsGone(executor: string, by: string, incarnation = `${executor}-1`): ExecutorGroupMessage {
  return { type: "pods-gone", executor, incarnation, by };
}

/** `a` is alive, `b` is lost. */
function stageGroup() {
  const stage = createStage(actor, "host");
  stage.tell(member("a", "active"));
  stage.tell(member("b", "lost", { unproven: "b-1" }));
  return stage;
}

const proofAbout = (executor: string) => [
  { to: `executor/${executor}`, message: { type: "pods-gone", incarnation: `${executor}-1`, group: "host" } },
];

describe("evidence that the pods of a lost executor are gone", () => {
  it("is passed on if a living member brings it", () => {
    expect(mailOf(stageGroup().tell(podsGone("b", "a")).effects)).toEqual(proofAbout("b"));
  });

  it.each([
    ["an executor that is lost itself", podsGone("b", "b")],
    ["somebody who is no member", podsGone("b", "stranger")],
    ["a member, about an executor that is alive", podsGone("a", "a")],
    ["a member, about another incarnation", podsGone("b", "a", "b-0")],
    ["a member, about an unknown executor", podsGone("c", "a")],
  ])("counts nothing from %s", (_, message) => {
    expect(stageGroup().tell(message)).toEqual({ changes: [], effects: [] });
  });

  it("is taken from the executor itself once it is back, under either incarnation", () => {
    for (const incarnation of ["b-1", "b-2"]) {
      const stage = stageGroup();
      stage.tell(member("b", "active", { incarnation: "b-2", unproven: "b-1" }));
      expect(mailOf(stage.tell(podsGone("b", "b", incarnation)).effects)).toEqual(proofAbout("b"));
    }
  });

  it("is repeated until the executor's actor has answered it", () => {
    const stage = stageGroup();
    stage.tell(podsGone("b", "a"), 1_000);
    const deadline = actor.deadline(stage.state()) ?? 0;
    expect(mailOf(stage.tell({ type: "tick" }, deadline - 1).effects)).toEqual([]);
    expect(mailOf(stage.tell({ type: "tick" }, deadline).effects)).toEqual(proofAbout("b"));
    stage.tell(member("b", "lost"));
    expect(actor.deadline(stage.state())).toBeUndefined();
  });
});

describe("a group", () => {
  it("names siblings, who is concerned with its pods, and whose pods must go", () => {
    const stage = stageGroup();
    stage.tell(member("c", "lost"));
    expect(siblings(stage.state(), "a")).toEqual(["b", "c"]);
    expect(group(stage.state())).toEqual(["a", "b"]);
    expect(leftovers(stage.state())).toEqual([{ executor: "b", incarnation: "b-1", cleaners: ["a"] }]);
  });

  it("writes nothing for a member that is what it was", () => {
    expect(stageGroup().tell(member("a", "active"))).toEqual({ changes: [], effects: [] });
  });

  it("is forgotten with its last member", () => {
    const stage = stageGroup();
    stage.commit();
    stage.takeOver("s2");
    for (const executor of ["a", "b"]) stage.tell({ type: "member-removed", executor });
    stage.commit();
    expect(stage.stored().state).toBeNull();
    expect(actor.deadline(stage.state())).toBeUndefined();
  });
});
