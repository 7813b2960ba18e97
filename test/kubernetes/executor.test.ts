import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorld, readLogText, type World } from "../executors/harness.ts";
import { pods } from "../support/kubernetes/resource.ts";
import { type Simulator, startSimulator } from "../support/kubernetes/simulator.ts";
import { until } from "../support/until.ts";

const image = "busybox:1.37-musl";

describe("an executor in front of a cluster", () => {
  let simulator: Simulator;
  let folder: string;
  let world: World;
  beforeEach(async () => {
    simulator = await startSimulator();
    folder = await mkdtemp(join(tmpdir(), "ostler-kubernetes-"));
    await writeFile(join(folder, "kubeconfig"), simulator.kubeconfig);
    world = await createWorld({
      OSTLER_EXECUTOR_DRIVER: "kubernetes",
      OSTLER_KUBERNETES_KUBECONFIG: join(folder, "kubeconfig"),
      OSTLER_EXECUTOR_TASK_LIMIT: "4",
      OSTLER_HEARTBEAT_TTL: "5s",
    });
  });
  afterEach(async () => {
    await world.close();
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  });

  const assign = async (steps: readonly unknown[], task: Readonly<Record<string, unknown>> = {}) => {
    const run = await world.createRun({ tasks: { build: { image, steps, ...task } } });
    const id = run.assignment("build");
    await world.assign(id);
    return { id, log: (step: string) => readLogText(world.store, { runId: run.runId, task: "build", attempt: 1, step }) };
  };
  const podsLeft = () => simulator.store.list(pods).length;

  it("runs a task's steps in one pod, and removes it before it tells the end", async () => {
    await world.start();
    const run = await assign([{ run: "echo one > kept; echo first" }, { run: "cat kept; exit 3" }]);
    expect(await world.outcome(run.id)).toMatchObject({ phase: "failed", reason: "exit_code", exitCode: 3 });
    expect(await run.log("0")).toBe("first\n");
    expect(await run.log("1")).toBe("one\n");
    expect(podsLeft()).toBe(0);
  });

  it("asks the API server for at most five things for a task, besides watches and the look at its group", async () => {
    // With the defaults, where tasks of seconds need no touch.
    await world.start({ env: { OSTLER_HEARTBEAT_TTL: "20s", OSTLER_EXECUTOR_FENCE: "10m" } });
    const first = await assign([{ run: "true" }]);
    await world.outcome(first.id);
    simulator.requests.clear();
    const run = await assign([{ run: "echo hello" }]);
    expect(await world.outcome(run.id)).toMatchObject({ phase: "success" });
    const own = simulator.requests.list().filter(({ verb, name }) => verb === "create" || (name === run.id && verb !== "watch"));
    expect(own.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual([
      "create pods",
      // The step, then its outputs.
      "get pods/exec",
      "get pods/exec",
      "delete pods",
    ]);
  });

  it("dies in the middle of a step: its successor goes on with it, and its log is whole", async () => {
    const first = await world.spawn();
    const run = await assign([{ run: "echo early; n=0; while [ $n -lt 60 ]; do sleep 0.05; n=$((n+1)); done; echo late; exit 6" }]);
    await until("the step runs", () => simulator.requests.count({ resource: "pods/exec" }) > 0);
    await first.kill("SIGKILL");
    await world.start();
    expect(await world.outcome(run.id)).toMatchObject({ phase: "failed", reason: "exit_code", exitCode: 6 });
    expect(await run.log("0")).toBe("early\nlate\n");
    expect(podsLeft()).toBe(0);
  });

  it("goes on with what runs, and waits with what is new, while the API server is away", async () => {
    await world.start();
    const running = await assign([{ run: "echo early; sleep 2; echo late; exit 6" }]);
    await until("the step runs", () => simulator.requests.count({ resource: "pods/exec" }) > 0);
    await simulator.stop();
    const added = await assign([{ run: "echo added" }]);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await simulator.start();
    expect(await world.outcome(running.id)).toMatchObject({ phase: "failed", reason: "exit_code", exitCode: 6 });
    expect(await running.log("0")).toBe("early\nlate\n");
    expect(await world.outcome(added.id)).toMatchObject({ phase: "success" });
    await until("nothing is left", () => podsLeft() === 0);
  });

  it("says in the setup's log why there is no pod", async () => {
    await world.start();
    const run = await assign([{ run: "true" }], { image: "docker.io/Not A Name" });
    expect(await world.outcome(run.id)).toMatchObject({ phase: "failed", reason: "image_permanent" });
    expect(await run.log("setup")).toContain("couldn't parse image name");
    expect(podsLeft()).toBe(0);
  });

  it("stops a task whose pod waits for a node, says so, and leaves nothing", async () => {
    await world.start();
    const run = await assign([{ run: "true" }], { image: undefined, runtime: { arch: "arm64", containers: [{ image }] } });
    const spooled = () => readFile(join(world.folder, "executors/e1/logs", `${run.id}.setup`), "utf8").catch(() => "");
    await until("it is told that the pod waits", async () => (await spooled()) !== "");
    await world.tell(run.id, "stop");
    expect(await world.outcome(run.id)).toMatchObject({ phase: "stopped", ranStep: false });
    expect(await run.log("setup")).toContain("waiting for a node: 0/1 nodes are available");
    expect(podsLeft()).toBe(0);
  });

  it("keeps saved files beyond the pod", async () => {
    await world.start();
    const run = await assign([
      { run: "mkdir -p out/deep; echo saved > out/deep/file; ln -s file out/deep/link; chmod 750 out/deep/file" },
      { type: "save_cache", key: "k", contents: [{ paths: ["out/**"] }] },
      { run: "rm -rf out" },
      { type: "restore_cache", keys: ["k"] },
      { run: "cat out/deep/link; stat -c %a out/deep/file" },
    ]);
    expect(await world.outcome(run.id)).toMatchObject({ phase: "success" });
    expect(await run.log("4")).toBe("saved\n750\n");
  });
});
