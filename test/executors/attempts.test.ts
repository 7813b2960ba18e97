import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorld, type World } from "./harness.ts";

describe("an executor with the process driver", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await world.start();
  });
  afterAll(() => world.close());

  const runTask = async (task: Readonly<Record<string, unknown>>, run: Readonly<Record<string, unknown>> = {}) => {
    const created = await world.createRun({ ...run, tasks: { build: { image: "node:24", ...task } } });
    const assignment = created.assignment("build");
    await world.assign(assignment);
    return { ...created, id: assignment, outcome: await world.outcome(assignment) };
  };

  it("runs a step and reports its success", async () => {
    const { outcome } = await runTask({ steps: [{ run: "echo hello" }] });
    expect(outcome).toMatchObject({
      phase: "success",
      ranStep: true,
      steps: [{ phase: "success", exitCode: 0, logSize: 6, logComplete: true }],
    });
  });
});
