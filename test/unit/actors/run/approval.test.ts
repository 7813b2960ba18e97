import { describe, expect, it } from "vitest";
import { Play } from "./play.ts";

const image = "x";
const tasks = { build: { image }, deploy: { image, depends: ["build"], needsApproval: true }, after: { image, depends: ["deploy"] } };
const approve = { type: "approve", task: "deploy", by: "ann", message: "go", requestId: "r1" } as const;
const reject = { ...approve, type: "reject", message: "no" } as const;

function waiting(): Play {
  const play = Play.running({ tasks });
  play.succeed("build");
  return play;
}

describe("a task that needs an approval", () => {
  it("waits for it once its parents have ended, and is not asked for before", () => {
    const play = Play.running({ tasks });
    expect(play.task("deploy").waitingApproval).toBe(false);
    play.succeed("build");
    expect(play.task("deploy")).toMatchObject({ status: "notstarted", waitingApproval: true, waitingReason: { type: "approval" } });
    expect(play.toPool().filter((message) => message.type === "request")).toHaveLength(1);
  });

  it("starts when it is approved, and says by whom", () => {
    const play = waiting();
    expect(play.tell(approve)).toEqual({ ok: true });
    play.succeed("deploy");
    expect(play.task("deploy")).toMatchObject({ status: "success", approval: { by: "ann", message: "go" } });
  });

  it("is skipped when it is rejected, and its children with it", () => {
    const play = waiting();
    play.tell(reject);
    expect(play.task("deploy")).toMatchObject({
      status: "skipped",
      skipReason: { type: "rejected" },
      approval: { by: "ann", message: "no" },
    });
    expect(play.view).toMatchObject({ phase: "finished", result: "success", tasks: { after: { status: "skipped" } } });
  });

  it("can be approved once; the same request is accepted again, whatever has become of it", () => {
    const play = waiting();
    play.tell(approve);
    expect(play.tell(approve)).toEqual({ ok: true });
    play.succeed("deploy");
    expect(play.tell(approve)).toEqual({ ok: true });
    expect(play.tell({ ...approve, requestId: "r2" })).toMatchObject({ ok: false, code: "not_waiting_approval" });
    expect(play.tell(reject)).toMatchObject({ ok: false, code: "not_waiting_approval" });
    expect(play.toPool().filter((message) => message.type === "request" && message.task === play.index("deploy"))).toHaveLength(1);
  });

  it("accepts the same rejection again, but not as an approval", () => {
    const play = waiting();
    play.tell(reject);
    expect(play.tell(reject)).toEqual({ ok: true });
    expect(play.tell(approve)).toMatchObject({ ok: false });
  });

  it("cannot be approved before it waits, nor in a queued run, nor if there is none", () => {
    const refused = { ok: false, code: "not_waiting_approval" };
    expect(Play.running({ tasks }).tell(approve)).toMatchObject(refused);
    expect(Play.queued({ tasks }).tell(approve)).toMatchObject(refused);
    expect(waiting().tell({ ...approve, task: "nope" })).toMatchObject({ ok: false, code: "task_not_found" });
  });

  it("that will be skipped never asks", () => {
    const play = Play.running({ tasks });
    play.fail("build");
    expect(play.task("deploy")).toMatchObject({ status: "skipped", waitingApproval: false });
  });

  it("fails when nobody approves it in a week", () => {
    const play = waiting();
    play.wait(7 * 86_400_000 - 1);
    expect(play.task("deploy").waitingApproval).toBe(true);
    play.wait(1);
    expect(play.task("deploy")).toMatchObject({ status: "failed", reason: "approval_timeout" });
    expect(play.view).toMatchObject({ phase: "finished", result: "failed" });
  });
});
