import { describe, expect, it } from "vitest";
import type { PodEntry } from "../../src/executors/driver.ts";
import { group, judge, type Look, type MemberRecord, type Memory, noMemory, siblings } from "../../src/executors/leftovers.ts";

const pod = (id: string, executor: string, incarnation = "i1"): PodEntry => ({
  id,
  createdAt: 0,
  owner: { installation: "i", executor, incarnation, group: "g", runId: "r", task: "t", attempt: 1 },
});
const member = (life: MemberRecord["life"], changes: Partial<MemberRecord> = {}): MemberRecord => ({
  incarnation: "i1",
  life,
  group: "g",
  ...changes,
});
const look = (changes: Partial<Look>): Look => ({
  executor: "me",
  group: "g",
  records: new Map([["me", member("active")]]),
  pods: [],
  ownAssignments: new Set(),
  history: "h1",
  at: 0,
  fenceMs: 1_000,
  ...changes,
});
/** What the looks, one after another, find in the end. */
const judgeAll = (looks: readonly Look[]) => {
  let memory: Memory = noMemory;
  const all = looks.map((one) => {
    const findings = judge(memory, one);
    memory = findings.memory;
    return { remove: findings.remove.map(({ id }) => id), gone: findings.gone.map(({ executor }) => executor) };
  });
  return all.at(-1);
};
const others = (record: MemberRecord) =>
  new Map([
    ["me", member("active")],
    ["other", record],
  ]);

describe("leftovers", () => {
  it("are removed only when they were seen twice", () => {
    const lost = look({ records: others(member("lost")), pods: [pod("p", "other")] });
    expect(judgeAll([lost])?.remove).toEqual([]);
    expect(judgeAll([lost, lost])?.remove).toEqual(["p"]);
  });

  it.each(["active", "cordoned", "suspect"] as const)("are never an executor's that is %s", (life) => {
    const one = look({ records: others(member(life)), pods: [pod("p", "other")] });
    expect(judgeAll([one, one, one, one])?.remove).toEqual([]);
  });

  it("may be seen for the first time while their executor is suspect", () => {
    const pods = [pod("p", "other")];
    expect(judgeAll([look({ records: others(member("suspect")), pods }), look({ records: others(member("lost")), pods })])?.remove).toEqual(
      ["p"],
    );
  });

  it("start anew when their executor was alive in between", () => {
    const pods = [pod("p", "other")];
    const [lost, alive] = [look({ records: others(member("lost")), pods }), look({ records: others(member("active")), pods })];
    expect(judgeAll([lost, alive, lost])?.remove).toEqual([]);
  });

  it("are own pods without an assignment, whatever their incarnation", () => {
    const one = look({ pods: [pod("kept", "me"), pod("old", "me", "i0")], ownAssignments: new Set(["kept"]) });
    expect(judgeAll([one])?.remove).toEqual([]);
    expect(judgeAll([one, one])?.remove).toEqual(["old"]);
  });

  it("of an executor without a record are touched only after a whole fence time", () => {
    const at = (ms: number) => look({ pods: [pod("p", "deleted")], at: ms });
    expect(judgeAll([at(0), at(500), at(999)])?.remove).toEqual([]);
    expect(judgeAll([at(0), at(500), at(1_000)])?.remove).toEqual(["p"]);
  });

  it("of an executor without a record wait anew when Redis may have forgotten it", () => {
    const at = (ms: number, history: string) => look({ pods: [pod("p", "deleted")], at: ms, history });
    expect(judgeAll([at(0, "h1"), at(999, "h1"), at(1_500, "h2")])?.remove).toEqual([]);
    expect(judgeAll([at(0, "h1"), at(999, "h1"), at(1_500, "h2"), at(2_500, "h2")])?.remove).toEqual(["p"]);
  });

  it.each(["active", "suspect", "lost"] as const)("of an executor that was seen %s before it was deleted need no fence time", (life) => {
    const [there, deleted] = [look({ records: others(member(life)), pods: [pod("p", "other")] }), look({ pods: [pod("p", "other")] })];
    expect(judgeAll([there, deleted, deleted])?.remove).toEqual(["p"]);
    const forgotten = { ...deleted, history: "h2" };
    expect(judgeAll([there, forgotten, forgotten])?.remove).toEqual([]);
  });

  it("of an executor that was deleted and is back are its own affair", () => {
    const [there, deleted] = [look({ records: others(member("active")), pods: [pod("p", "other")] }), look({ pods: [pod("p", "other")] })];
    expect(judgeAll([there, deleted, there, there])?.remove).toEqual([]);
  });

  it("are proven gone by two complete lists after the revocation, not by one", () => {
    const lost = look({ records: others(member("lost")) });
    expect(judgeAll([lost])?.gone).toEqual([]);
    expect(judgeAll([lost, lost])?.gone).toEqual(["other"]);
  });

  it("are not proven gone by lists from before the revocation, or while one of them is there", () => {
    const [alive, lost] = [look({ records: others(member("active")) }), look({ records: others(member("lost")) })];
    const there = look({ records: others(member("lost")), pods: [pod("p", "other")] });
    expect(judgeAll([alive, alive, lost])?.gone).toEqual([]);
    expect(judgeAll([lost, there, lost])?.gone).toEqual([]);
  });

  it("of another incarnation need lists of their own", () => {
    const [first, second] = ["i1", "i2"].map((incarnation) => look({ records: others(member("lost", { incarnation })) }));
    if (first && second) expect(judgeAll([first, second])?.gone).toEqual([]);
  });

  it("of another group's executors cannot be proven gone from here", () => {
    const lost = look({ records: others(member("lost", { group: "elsewhere" })) });
    expect(judgeAll([lost, lost])?.gone).toEqual([]);
  });
});

describe("an executor group", () => {
  const records = new Map([
    ["a", member("active")],
    ["b", member("suspect")],
    ["c", member("lost")],
    ["d", member("active", { group: "elsewhere" })],
  ]);

  it("has all other members for siblings", () => {
    expect(siblings({ records }, "a")).toEqual(["b", "c"]);
  });

  it("is its living members, and owners of pods that are still there", () => {
    expect(group({ records, pods: [] }, "a")).toEqual(["a", "b"]);
    expect(group({ records, pods: [pod("p", "c"), pod("q", "deleted")] }, "a")).toEqual(["a", "b", "c", "deleted"]);
  });
});
