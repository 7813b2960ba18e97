import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver } from "../../src/executors/driver.ts";
import { createMemoryDriver } from "../../src/executors/memory/memory-driver.ts";
import { until } from "../support/until.ts";
import { createWorld, readLogText, type World } from "./harness.ts";

/** A platform whose pods take their time, say why, and have services that talk. */
function slowPlatform() {
  const pods = createMemoryDriver();
  const told: string[] = [];
  const mayStart = Promise.withResolvers<void>();
  const driver: Driver = {
    ...pods,
    start: async (pod, onProgress, signal) => {
      onProgress(`pulling ${pod.containers[0]?.image} slowly`);
      await mayStart.promise;
      await until("the time to start has passed", () => Date.now() >= pod.startBy);
      const handle = await pods.start(pod, onProgress, signal);
      return {
        ...handle,
        touch: async () => {
          told.push("touch");
        },
        startStep: async (step, stop) => {
          told.push("step");
          await handle.startStep(step, stop);
        },
        followService: async function* (index, _offset, over) {
          yield Buffer.from(`service ${index} says hello\n`);
          over.throwIfAborted();
          await new Promise((_, reject) => {
            over.addEventListener("abort", () => reject(over.reason), { once: true });
          });
        },
      };
    },
  };
  return { driver, told, mayStart };
}

describe("the start of a pod", () => {
  let world: World;
  const platform = slowPlatform();
  beforeAll(async () => {
    // Between two heartbeats, nobody else touches the pod.
    world = await createWorld({ OSTLER_HEARTBEAT_INTERVAL: "1500ms", OSTLER_HEARTBEAT_TTL: "3s" });
    await world.start({ driver: platform.driver });
  });
  afterAll(() => world.close());

  it("is waited for in words, may take longer than steps had to begin, and stores what services say beside the steps", async () => {
    const containers = [{ image: "one" }, { image: "two" }, { image: "three" }];
    const run = await world.createRun({ tasks: { build: { runtime: { containers }, steps: [{ run: "true" }] } } });
    const assignment = run.assignment("build");
    await world.assign(assignment);
    await until("the run hears what is waited for", async () =>
      (await world.mail()).some(({ message }) => message.type === "attempt-progress" && String(message.message).startsWith("pulling one")),
    );
    const told = (await world.mail()).find(({ message }) => message.type === "attempt-progress")?.message;
    expect(told).not.toHaveProperty("startedAt");
    platform.mayStart.resolve();
    expect(await world.outcome(assignment)).toMatchObject({ phase: "success" });
    expect(platform.told[0]).toBe("touch");
    const log = (step: string) => readLogText(world.store, { runId: run.runId, task: "build", attempt: 1, step });
    expect(await log("service-1")).toMatch(/^service 1 says /);
    expect(await log("service-2")).toMatch(/^service 2 says /);
    expect(await log("setup")).toMatch(/^pulling one slowly$/m);
  });
});
