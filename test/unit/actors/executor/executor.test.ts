import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { absent, alive, executor, fenceMs, registered, said, stageExecutor, ttlMs } from "./cast.ts";

/** An executor that was declared lost at 100 s. */
function stageLost({ dynamic = false } = {}) {
  const stage = stageExecutor();
  stage.tell(registered("i1", { dynamic }), 0);
  stage.tell(absent, 100_000 - ttlMs);
  stage.tell(absent, 100_000);
  return stage;
}

describe("an executor that registers", () => {
  it("is active, and its pool and group know it", () => {
    expect(said(stageExecutor().tell(registered("i1")).effects)).toEqual([
      "record life=active leave=",
      "pool/default executor-changed i1 active",
      "executor-group/host member-changed i1 active",
    ]);
  });

  it("with its id anew while it is not lost goes on under the new incarnation, cordoned if it was", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell({ type: "cordon", leaveWhenEmpty: false });
    expect(said(stage.tell(registered("i2")).effects)).toContain("pool/default executor-changed i2 cordoned");
  });

  it("is not set back by a late message of an earlier registration", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell(registered("i2"));
    expect(stage.tell(registered("i1"))).toEqual({ changes: [], effects: [] });
    expect(stage.tell(registered("i2"))).toEqual({ changes: [], effects: [] });
  });

  it("in another group leaves the one that it was in", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    const effects = said(stage.tell(registered("i2", { group: "other" })).effects);
    expect(effects).toContain("executor-group/host member-removed");
    expect(effects).toContain("executor-group/other member-changed i2 active");
  });
});

describe("other architectures", () => {
  const archsOf = (stage: ReturnType<typeof stageExecutor>) => stage.state().record?.description.archs;

  it("are told to the pool, which may have tasks that wait for them, and kept", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    const { effects } = stage.tell({ type: "archs-changed", incarnation: "i1", archs: ["amd64", "arm64"] });
    expect(said(effects)).toContain("pool/default executor-changed i1 active");
    expect(JSON.stringify(effects)).toContain('"archs":["amd64","arm64"]');
    stage.commit();
    stage.takeOver("s2");
    expect(archsOf(stage)).toEqual(["amd64", "arm64"]);
  });

  it("that are the ones it offers change and write nothing", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    expect(stage.tell({ type: "archs-changed", incarnation: "i1", archs: ["amd64"] })).toEqual({ changes: [], effects: [] });
  });

  it("of an incarnation that does not count any more are not believed", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell(registered("i2"));
    stage.tell({ type: "archs-changed", incarnation: "i1", archs: ["arm64"] });
    const lost = stageLost();
    lost.tell({ type: "archs-changed", incarnation: "i1", archs: ["arm64"] });
    expect([archsOf(stage), archsOf(lost)]).toEqual([["amd64"], ["amd64"]]);
  });
});

describe("a heartbeat", () => {
  it("that is there changes nothing and writes nothing", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    expect(stage.tell(alive("i1"))).toEqual({ changes: [], effects: [] });
  });

  it("that has expired makes the executor suspect: it gets nothing new", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    expect(said(stage.tell(absent).effects)).toEqual([
      "record life=suspect leave=",
      "pool/default executor-changed i1 suspect",
      "executor-group/host member-changed i1 suspect",
    ]);
  });

  it("that is back makes a suspect what it was before", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell({ type: "cordon", leaveWhenEmpty: true });
    stage.tell(absent);
    expect(said(stage.tell(alive("i1")).effects)).toContain("record life=cordoned leave=1");
  });

  it("of another incarnation says nothing of this one", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell(absent);
    expect(stage.tell(alive("i0"))).toEqual({ changes: [], effects: [] });
  });

  it("that is missing for a second ttl makes a suspect lost, by a commit that looks once more", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"), 0);
    stage.tell(absent, 50_000);
    expect(stage.tell(absent, 50_000 + ttlMs - 1)).toEqual({ changes: [], effects: [] });
    expect(said(stage.tell(absent, 50_000 + ttlMs).effects)).toEqual([
      "executor-lost",
      "record life=lost leave=",
      "pool/default executor-changed i1 lost",
      "executor-group/host member-changed i1 lost unproven i1",
    ]);
  });
});

describe("a lost executor", () => {
  it("ends its assignments only once its pods are proven gone", () => {
    const stage = stageLost();
    expect(said(stage.tell({ type: "pods-gone", incarnation: "i1" }).effects)).toEqual([
      "pool/default executor-gone i1",
      "pool/default executor-changed i1 lost",
      "executor-group/host member-changed i1 lost",
    ]);
    expect(said(stage.tell({ type: "pods-gone", incarnation: "i1" }).effects)).not.toContain("pool/default executor-gone i1");
  });

  it("is not ended by proof about an earlier incarnation", () => {
    const effects = said(stageLost().tell({ type: "pods-gone", incarnation: "i0" }).effects);
    expect(effects).not.toContain("pool/default executor-gone i1");
  });

  it("whose pods nobody proves gone ends its assignments at the end of the fence time, not before", () => {
    const stage = stageLost();
    const deadline = executor.deadline(stage.state()) ?? 0;
    expect(deadline).toBeGreaterThan(100_000 + fenceMs);
    expect(stage.tell({ type: "tick" }, deadline - 1)).toEqual({ changes: [], effects: [] });
    expect(said(stage.tell({ type: "tick" }, deadline).effects)).toContain("pool/default executor-gone i1");
    expect(executor.deadline(stage.state())).toBeUndefined();
  });

  it("that is static stays known; a dynamic one is removed once its pods are gone", () => {
    const known = stageLost();
    known.tell({ type: "pods-gone", incarnation: "i1" });
    known.commit();
    expect(known.stored().state).not.toBeNull();
    const dynamic = stageLost({ dynamic: true });
    expect(said(dynamic.tell({ type: "pods-gone", incarnation: "i1" }).effects)).toEqual([
      "pool/default executor-gone i1",
      "executor-removed",
      "pool/default executor-removed",
      "executor-group/host member-removed",
    ]);
    dynamic.commit();
    expect(dynamic.stored().state).toBeNull();
  });

  it("that returns gets nothing until the pods it had are gone, then it is active", () => {
    const stage = stageLost();
    expect(said(stage.tell(registered("i2")).effects)).toEqual([
      "record life=active leave=",
      "executor-group/host member-changed i2 active unproven i1",
    ]);
    expect(said(stage.tell({ type: "pods-gone", incarnation: "i1" }).effects)).toEqual([
      "pool/default executor-gone i1",
      "pool/default executor-changed i2 active",
      "executor-group/host member-changed i2 active",
    ]);
  });

  it("that returns and is lost again needs proof about its last incarnation", () => {
    const stage = stageLost();
    stage.tell(registered("i2"), 200_000);
    stage.tell(absent, 300_000);
    expect(said(stage.tell(absent, 300_000 + ttlMs).effects)).toContain("pool/default executor-changed i2 lost");
    expect(said(stage.tell({ type: "pods-gone", incarnation: "i1" }).effects)).not.toContain("pool/default executor-gone i2");
    expect(said(stage.tell({ type: "pods-gone", incarnation: "i2" }).effects)).toContain("pool/default executor-gone i2");
  });

  it("that was deleted answers late proof by taking itself off its group's list", () => {
    expect(said(stageExecutor().tell({ type: "pods-gone", incarnation: "i1", group: "host" }).effects)).toEqual([
      "executor-group/host member-removed",
    ]);
  });
});

describe("an executor that drained and leaves", () => {
  it("gets nothing from then on, and is lost at the next look without waiting for proof", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"), 0);
    expect(said(stage.tell({ type: "left", incarnation: "i1" }, 1_000).effects)).toContain("pool/default executor-changed i1 suspect");
    const effects = said(stage.tell(absent, 2_000).effects);
    expect(effects[0]).toBe("executor-lost");
    expect(effects).toContain("pool/default executor-gone i1");
    expect(executor.deadline(stage.state())).toBeUndefined();
  });

  it("is removed if it is dynamic", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1", { dynamic: true }), 0);
    stage.tell({ type: "left", incarnation: "i1" }, 1_000);
    expect(said(stage.tell(absent, 2_000).effects)).toContain("executor-removed");
  });

  it("comes back as new, whatever it was told before it left", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell({ type: "cordon", leaveWhenEmpty: true });
    stage.tell({ type: "left", incarnation: "i1" });
    expect(said(stage.tell(registered("i2")).effects)).toContain("record life=active leave=");
  });

  it("is not taken for gone by the message of an earlier incarnation", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell(registered("i2"));
    expect(stage.tell({ type: "left", incarnation: "i1" })).toEqual({ changes: [], effects: [] });
  });
});

describe("commands", () => {
  it("cordon and uncordon, and may be repeated", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    expect(said(stage.tell({ type: "cordon", leaveWhenEmpty: true }).effects)).toEqual([
      "record life=cordoned leave=1",
      "pool/default executor-changed i1 cordoned",
      "executor-group/host member-changed i1 cordoned",
    ]);
    expect(stage.tell({ type: "cordon", leaveWhenEmpty: true })).toEqual({ changes: [], effects: [], reply: { ok: true } });
    expect(said(stage.tell({ type: "uncordon" }).effects)).toContain("record life=active leave=");
  });

  it("keep a suspect suspect, and count when it is back", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    stage.tell(absent);
    expect(said(stage.tell({ type: "cordon", leaveWhenEmpty: false }).effects)).toContain("record life=suspect leave=");
    expect(said(stage.tell(alive("i1")).effects)).toContain("record life=cordoned leave=");
  });

  it.each([
    { type: "cordon", leaveWhenEmpty: false },
    { type: "uncordon" },
    { type: "delete", force: true },
  ] as const)("answer executor_not_found for an unknown executor: $type", (message) => {
    expect(stageExecutor().tell(message).reply).toMatchObject({ ok: false, code: "executor_not_found" });
  });

  it("delete refuses an executor that is not lost, and says what works", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    const { reply } = stage.tell({ type: "delete", force: false });
    expect(reply).toMatchObject({ ok: false, code: "executor_not_lost", message: expect.stringContaining("leaveWhenEmpty") });
  });

  it("delete removes a lost executor at once if its pods are gone, else as soon as they are", () => {
    const settled = stageLost();
    settled.tell({ type: "pods-gone", incarnation: "i1" });
    expect(said(settled.tell({ type: "delete", force: false }).effects)).toContain("executor-removed");
    const unproven = stageLost();
    expect(unproven.tell({ type: "delete", force: false })).toMatchObject({ effects: [], reply: { ok: true } });
    expect(said(unproven.tell({ type: "pods-gone", incarnation: "i1" }).effects)).toContain("executor-removed");
  });

  it("delete with force ends what the executor runs, whatever it does", () => {
    const stage = stageExecutor();
    stage.tell(registered("i1"));
    expect(said(stage.tell({ type: "delete", force: true }).effects)).toEqual([
      "pool/default executor-gone i1",
      "executor-removed",
      "pool/default executor-removed",
      "executor-group/host member-removed",
    ]);
  });
});

it("is read as every version has stored it", () => {
  const text = readFileSync(new URL("./golden/executor-state-v1.json", import.meta.url), "utf8");
  const state = executor.decode("a", { state: text, parts: [] });
  expect(state).toEqual({ id: "a", record: JSON.parse(text) });
  expect(JSON.parse(executor.encode("a", state, []).state ?? "")).toEqual(JSON.parse(text));
});

it("survives its owner: the next one goes on with the same deadline", () => {
  const stage = stageLost();
  const deadline = executor.deadline(stage.state());
  stage.commit();
  stage.takeOver("s2");
  expect(executor.deadline(stage.state())).toBe(deadline);
});
