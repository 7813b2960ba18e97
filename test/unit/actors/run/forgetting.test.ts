import { describe, expect, it } from "vitest";
import type { RunMessage } from "../../../../src/actors/run/messages.ts";
import { actor, createdAt, effectsOf, runId } from "./fixtures.ts";
import { Play, session } from "./play.ts";

const image = "x";
const minute = 60_000;
const assignment = `${runId}-0-1-${session}`;

function finished(): Play {
  const play = Play.running({ tasks: { a: { image } } });
  play.succeed("a");
  return play;
}

function absent(hash: Record<string, string>) {
  return (message: RunMessage) => {
    const state = actor.decode(runId, { state: null, parts: [hash, null, null] });
    return actor.decide(state, message, { now: createdAt, session });
  };
}

describe("a run that is archived", () => {
  it("is forgotten but for a tombstone until fifteen minutes after its end", () => {
    const play = finished();
    const finishedAt = play.now;
    play.tell({ type: "archived" });
    expect(play.last).toEqual([
      { type: "unrecord", id: `archive:${runId}` },
      { type: "forget-run", runId, number: 7, tombstoneUntil: finishedAt + 15 * minute },
    ]);
    expect(play.state).toEqual({ type: "absent", id: runId, isArchived: true });
    expect(play.stored.state).toBeNull();
  });

  it("keeps a tombstone for a while even if it is archived late", () => {
    const play = finished();
    play.now += 60 * minute;
    play.tell({ type: "archived" });
    expect(effectsOf(play.last, "forget-run")[0]?.tombstoneUntil).toBe(play.now + minute);
  });

  it("is not forgotten while it runs, whatever the archiver believes", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.tell({ type: "archived" });
    expect(play.view.phase).toBe("running");
  });
});

describe("deleting", () => {
  const remove = { type: "delete", by: "ann" } as const;

  it("is for runs that have ended", () => {
    expect(Play.running({ tasks: { a: { image } } }).tell(remove)).toMatchObject({ ok: false, code: "run_not_terminal", message: /stop/ });
    expect(Play.queued({ tasks: {} }).tell(remove)).toMatchObject({ ok: false, code: "run_not_terminal", message: /cancel/ });
  });

  it("takes the run off the index at once and hands the rest to the archiver", () => {
    const play = finished();
    expect(play.tell(remove)).toEqual({ ok: true });
    expect(effectsOf(play.last, "row")).toMatchObject([{ row: { runId, deleted: true } }]);
    expect(effectsOf(play.last, "unrecord").map(({ id }) => id)).toEqual([`definition:${runId}`, `archive:${runId}`]);
    expect(effectsOf(play.last, "record")).toMatchObject([{ id: `delete:${runId}`, work: { type: "delete-run", at: play.now } }]);
    expect(play.tell(remove)).toEqual({ ok: true });
    expect(play.last).toEqual([]);
  });

  it("ends with the archiver's word, not with that of an archiving that was under way", () => {
    const play = finished();
    play.tell(remove);
    play.tell({ type: "archived" });
    expect(play.state.type).toBe("known");
    play.tell({ type: "deleted" });
    expect(effectsOf(play.last, "forget-run")).toHaveLength(1);
    expect(play.state.type).toBe("absent");
  });

  it("of a task's logs marks them, once the run has ended", () => {
    const play = finished();
    expect(play.tell({ type: "delete-logs", task: "a", by: "ann" })).toEqual({ ok: true });
    expect(play.task("a").attempts[0]?.setup.log.deleted).toBe(true);
    expect(play.tell({ type: "delete-logs", task: "b", by: "ann" })).toMatchObject({ ok: false, code: "task_not_found" });
    const running = Play.running({ tasks: { a: { image } } });
    expect(running.tell({ type: "delete-logs", task: "a", by: "ann" })).toMatchObject({ ok: false, code: "run_not_terminal" });
  });

  it("of a kept task's logs names the run that they belong to", () => {
    const kept = { a: { runId: "01kc8yq5000000abcdefghjkmn", attempt: 1, finishedAt: createdAt } };
    const play = Play.running({ tasks: { a: { image } } }, { restart: { of: "01kc8yq5000000abcdefghjkmn", fromFailed: true, kept } });
    expect(play.tell({ type: "delete-logs", task: "a", by: "ann" })).toMatchObject({
      code: "conflict",
      message: /01kc8yq5000000abcdefghjkmn/,
    });
  });
});

describe("a run that nobody knows", () => {
  const tell = absent({});

  it("refuses every command", () => {
    for (const message of [
      { type: "stop", by: "ann", force: false },
      { type: "cancel", by: "ann" },
      { type: "approve", task: "a", by: "ann" },
      { type: "delete", by: "ann" },
      { type: "delete-logs", task: "a", by: "ann" },
    ] as const) {
      expect(tell(message).reply).toMatchObject({ ok: false, code: "run_not_found" });
    }
  });

  it("tells everybody who still counts on it that it is gone", () => {
    expect(tell({ type: "check-holder", root: "/a/b" }).effects).toMatchObject([
      { to: { kind: "root-group", id: "/a/b" }, message: { type: "run-ended" } },
    ]);
    expect(tell({ type: "check-request", task: 0, attempt: 1, pool: "p" }).effects).toMatchObject([{ message: { type: "withdraw" } }]);
    expect(tell({ type: "check-assignment", assignment, executor: "e", pool: "p" }).effects).toMatchObject([
      { type: "settle-assignment", executor: "e", assignment },
      { message: { type: "release", assignment } },
    ]);
    expect(tell({ type: "assigned", task: 0, attempt: 1, assignment, executor: "e" }).effects).toMatchObject([{ type: "stop-assignment" }]);
    const outcome = { phase: "success", finishedAt: createdAt, ranStep: true } as const;
    expect(tell({ type: "attempt-ended", assignment, outcome, executor: "e", pool: "p" }).effects).toHaveLength(2);
  });

  it("clears the record of work that was done", () => {
    expect(tell({ type: "archived" }).effects).toEqual([{ type: "unrecord", id: `archive:${runId}` }]);
    expect(tell({ type: "deleted" }).effects).toEqual([{ type: "unrecord", id: `delete:${runId}` }]);
    expect(tell({ type: "definition-written" }).effects).toEqual([{ type: "unrecord", id: `definition:${runId}` }]);
  });

  it("changes nothing by anything else", () => {
    for (const type of ["start", "tick"] as const) expect(tell({ type })).toEqual({ changes: [], effects: [] });
    expect(tell({ type: "withdrawn", task: 0, attempt: 1 })).toEqual({ changes: [], effects: [] });
  });
});

describe("a run that only ost still knows", () => {
  const tell = absent({ archived: String(createdAt) });

  it("has ended, says every command", () => {
    expect(tell({ type: "stop", by: "ann", force: false }).reply).toMatchObject({ code: "run_not_running" });
    expect(tell({ type: "cancel", by: "ann" }).reply).toMatchObject({ code: "run_not_queued" });
    expect(tell({ type: "approve", task: "a", by: "ann" }).reply).toMatchObject({ code: "not_waiting_approval" });
  });

  it("can be deleted", () => {
    const { reply, effects } = tell({ type: "delete", by: "ann" });
    expect(reply).toEqual({ ok: true });
    expect(effects).toMatchObject([{ type: "record", id: `delete:${runId}` }]);
  });
});

describe("checks", () => {
  it("leave alone what the run counts on too", () => {
    const play = Play.running({ tasks: { a: { image } } });
    const { length } = play.effects;
    const onItsWay = { type: "check-assignment", assignment, executor: "executor-1", pool: "default" } as const;
    play.tell(onItsWay);
    play.tell({ type: "check-request", task: 0, attempt: 1, pool: "default" });
    play.tell({ type: "check-holder", root: "/project/web" });
    play.assign("a");
    play.tell(onItsWay);
    expect(play.effects).toHaveLength(length);
  });

  it("release an assignment, take back a request and give up a place that the run does not count on", () => {
    const play = finished();
    play.tell({ type: "check-assignment", assignment, executor: "executor-1", pool: "default" });
    expect(play.last).toMatchObject([{ type: "settle-assignment" }, { message: { type: "release", assignment } }]);
    play.tell({ type: "check-request", task: 0, attempt: 1, pool: "default" });
    expect(play.toPool(play.last)).toEqual([{ type: "withdraw", run: runId, task: 0, attempt: 1 }]);
    play.tell({ type: "check-holder", root: "/project/web" });
    expect(effectsOf(play.last, "send")).toMatchObject([{ to: { kind: "root-group" }, message: { type: "run-ended" } }]);
  });

  it("repeat a request's withdrawal to a pool that has not answered it", () => {
    const play = Play.running({ tasks: { a: { image } } });
    play.tell({ type: "stop", by: "ann", force: false });
    play.tell({ type: "check-request", task: 0, attempt: 1, pool: "default" });
    expect(play.toPool(play.last)).toMatchObject([{ type: "withdraw" }]);
  });
});
