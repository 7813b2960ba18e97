import { describe, expect, it } from "vitest";
import { RunEvent, RunView } from "../../../src/runs/view.ts";
import { Play } from "../actors/run/play.ts";

const image = "x";

describe("what is shown of a run", () => {
  it("is what the schemas say, at every moment of its life", () => {
    const play = Play.queued({
      tasks: {
        a: { image, retry: { limit: 1 }, steps: [{ run: "make\nall" }, { type: "restore_workspace" }] },
        b: { image, depends: ["a"] },
      },
    });
    const shown = () => RunView.parse(play.view);
    expect(shown()).toEqual(play.view);
    play.tell({ type: "start" });
    shown();
    play.assign("a");
    shown();
    play.begin("a");
    shown();
    play.end("a", { phase: "failed", reason: "exit_code" });
    shown();
    play.wait(1000);
    play.succeed("a");
    play.succeed("b");
    expect(shown()).toMatchObject({ phase: "finished", canRestartFromScratch: true, canRestartFromFailed: false });
    expect(play.task("a").attempts[1]?.steps).toMatchObject([
      { name: "make", type: "run" },
      { name: "restore_workspace", type: "restore_workspace" },
    ]);
    for (const event of play.events) expect(RunEvent.parse(event)).toEqual(event);
  });

  it("never holds a secret", () => {
    const secret = { secret: "s3cret" };
    const play = Play.running({
      environment: { A: secret, B: "b" },
      staticEnvironment: { C: secret },
      tasks: { a: { image, environment: { D: secret } } },
    });
    expect(play.view).toMatchObject({ environment: { A: { secret: "***" }, B: "b" }, staticEnvironment: { C: { secret: "***" } } });
    expect(JSON.stringify([play.view, play.effects, play.stored.state])).not.toContain("s3cret");
  });
});
