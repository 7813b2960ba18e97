import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installSupervisor } from "../../src/executors/process/install-supervisor.ts";
import { createProcessDriver } from "../../src/executors/process/process-driver.ts";
import { createWorld, type World } from "../executors/harness.ts";
import { newFolder } from "../support/folder.ts";

describe("a pod's time", () => {
  let world: World;
  beforeEach(async () => {
    // Touched every six seconds by its fence time alone, while its time to start ends after one.
    world = await createWorld({ OSTLER_HEARTBEAT_TTL: "1s", OSTLER_EXECUTOR_FENCE: "60s" });
  });
  afterEach(() => world.close());

  const assign = async (...commands: readonly string[]) => {
    const run = await world.createRun({ tasks: { build: { image: "x", steps: commands.map((command) => ({ run: command })) } } });
    const id = run.assignment("build");
    await world.assign(id);
    return id;
  };

  it("is long enough for steps that start later than a ttl, and run longer than one", async () => {
    await world.start();
    const id = await assign("sleep 2", "sleep 6", "true");
    expect(await world.outcome(id)).toMatchObject({ phase: "success", steps: Array(3).fill({ phase: "success" }) });
  });

  it("begins when it has started, however long its image was pulled", async () => {
    const driver = createProcessDriver({ podsDir: world.podsDir, hostEnvironment: {} });
    await world.start({
      // So seldom that no heartbeat comes between the pod's late start and its first step.
      env: { OSTLER_HEARTBEAT_TTL: "2s", OSTLER_HEARTBEAT_INTERVAL: "1s" },
      driver: {
        ...driver,
        start: async (...args) => {
          const pod = await driver.start(...args);
          // A ttl, and the second that the supervisor's clock of whole seconds may give on top.
          await delay(3_300);
          return pod;
        },
      },
    });
    expect(await world.outcome(await assign("true"))).toMatchObject({ phase: "success" });
  });
});

it("has its supervisor although many pods start their first steps at once", async () => {
  const pods = newFolder("supervisors");
  const paths = await Promise.all(Array.from({ length: 16 }, () => installSupervisor(pods)));
  expect(new Set(paths).size).toBe(1);
});
