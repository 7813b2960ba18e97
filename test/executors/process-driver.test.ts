import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Driver, PodError, type PodHandle, type PodSpec } from "../../src/executors/driver.ts";
import { createProcessDriver } from "../../src/executors/process/process-driver.ts";
import { findProcess, listProcesses } from "../../src/executors/processes.ts";
import { images } from "../support/docker-images.ts";
import { until } from "../support/until.ts";
import { driverContract, podSpec, stepSpec } from "./driver-contract.ts";

const signal = new AbortController().signal;

async function openPods() {
  const folder = await mkdtemp(join(tmpdir(), "ostler-pods-"));
  const pods = join(folder, "pods");
  const create = () => createProcessDriver({ podsDir: pods, hostEnvironment: { PATH: process.env.PATH ?? "", TZ: "UTC" } });
  const driver = create();
  const close = async () => {
    for (const installation of ["i1", "i2"]) {
      for (const pod of await driver.list(installation, signal)) await driver.remove(pod.id, 0, signal);
    }
    await rm(folder, { recursive: true, force: true });
  };
  return { driver, pods, successor: create, close };
}

driverContract({ name: "process", survivesItsProcess: true }, openPods);

describe("the process driver", () => {
  let driver: Driver;
  let pods: string;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ driver, pods, close } = await openPods());
  });
  afterAll(() => close());

  const start = (changes: Partial<PodSpec> = {}) => driver.start(podSpec(changes), () => {}, signal);
  const home = (pod: PodHandle, ...path: string[]) => join(pods, pod.id, "home", ...path);
  const run = async (pod: PodHandle, index: number, command: string, environment: Readonly<Record<string, string>> = {}) => {
    await pod.startStep({ ...stepSpec(index, command), environment }, signal);
    const end = await pod.waitStep(index, signal);
    let output = "";
    for await (const chunk of pod.followOutput(index, 0, signal)) output += Buffer.from(chunk).toString();
    return { end, output };
  };
  const pidIn = async (file: string): Promise<number> => {
    await until(`${file} holds a pid`, async () => /^\d+\n/.test(await readFile(file, "utf8").catch(() => "")));
    return Number(await readFile(file, "utf8"));
  };

  it("gives steps nothing of the server's environment but PATH, LANG, TZ and TMPDIR", async () => {
    process.env["PLANTED_IN_THE_SERVER"] = "leak";
    const pod = await start();
    const { output } = await run(pod, 0, "env", { OWN: "yes" });
    const names = output
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.filter((name) => !["_", "PWD", "SHLVL", "OLDPWD"].includes(name ?? "")).sort()).toEqual([
      "HOME",
      "OSTLER_POD",
      "OWN",
      "PATH",
      "TZ",
    ]);
    expect(output).toContain(`HOME=${home(pod)}\n`);
  });

  it("hands the step's own PATH to its command, however useless", async () => {
    const pod = await start();
    const { end, output } = await run(pod, 0, 'echo "$PATH"; exit 4', { PATH: "/nowhere" });
    expect(output).toBe("/nowhere\n");
    expect(end).toMatchObject({ exitCode: 4 });
  });

  it("never writes the environment to a file nor puts it on a command line", async () => {
    const pod = await start();
    await pod.startStep({ ...stepSpec(0, "while :; do sleep 1; done"), environment: { TOKEN: "planted-secret-7f3a" } }, signal);
    const files = await readdir(join(pods, pod.id), { recursive: true, withFileTypes: true });
    for (const file of files)
      if (file.isFile()) expect(await readFile(join(file.parentPath, file.name), "utf8")).not.toContain("planted-secret");
    for (const { pid } of listProcesses())
      expect(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).not.toContain("planted-secret-7f");
    await driver.remove(pod.id, 0, signal);
  });

  it("keeps others out of an attempt's folder", async () => {
    const pod = await start();
    expect((await stat(join(pods, pod.id))).mode & 0o777).toBe(0o700);
    expect((await stat(home(pod))).mode & 0o777).toBe(0o700);
  });

  it("kills daemons that a step left behind, in whatever session they are", async () => {
    const pod = await start();
    await run(
      pod,
      0,
      "sleep 1000 & echo $! > same; setsid sh -c 'echo $$ > escaped; exec sleep 1000' & env -i /bin/sh -c 'echo $$ > bare; exec sleep 1000' &",
    );
    const pids = await Promise.all(["same", "escaped", "bare"].map((name) => pidIn(home(pod, name))));
    expect(pids.map((pid) => findProcess(pid)?.pid)).toEqual(pids);
    await driver.remove(pod.id, 0, signal);
    expect(pids.map((pid) => findProcess(pid))).toEqual([undefined, undefined, undefined]);
    await expect(stat(join(pods, pod.id))).rejects.toThrow("ENOENT");
  });

  it("lets a daemon of one step live on in the next, as in any pod", async () => {
    const pod = await start();
    await run(pod, 0, "sleep 1000 & echo $! > daemon");
    expect((await run(pod, 1, 'kill -0 "$(cat daemon)"')).end).toMatchObject({ exitCode: 0 });
  });

  it("kills what ignores SIGTERM once the grace is over", async () => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done"), signal);
    const pid = await pidIn(home(pod, "pid"));
    await pod.stopStep(0, 200, signal);
    expect(findProcess(pid)).toBeUndefined();
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 137 });
  });

  it("gives a step that handles SIGTERM its grace", async () => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "trap 'echo bye; exit 9' TERM; echo $$ > pid; while :; do sleep 0.05; done"), signal);
    await pidIn(home(pod, "pid"));
    await pod.stopStep(0, 10_000, signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 9 });
  });

  it("removes folders that a step has made read-only", async () => {
    const pod = await start();
    await mkdir(home(pod, "cache", "module"), { recursive: true });
    await writeFile(home(pod, "cache", "module", "file"), "x");
    await chmod(home(pod, "cache", "module"), 0o500);
    await chmod(home(pod, "cache"), 0o500);
    await driver.remove(pod.id, 0, signal);
    await expect(stat(join(pods, pod.id))).rejects.toThrow("ENOENT");
  });

  it("removes what a crash of the host left of pods, which would else keep all lists from being complete", async () => {
    const [torn, halfGone] = [podSpec().id, podSpec().id];
    await mkdir(join(pods, torn));
    await writeFile(join(pods, torn, "pod.json"), "");
    await mkdir(join(pods, `.removing-${halfGone}`, "home"), { recursive: true });
    expect((await driver.list("i1", signal)).map((pod) => pod.id)).not.toContain(torn);
    expect(await readdir(pods)).not.toEqual(expect.arrayContaining([torn]));
    expect(await readdir(pods)).not.toEqual(expect.arrayContaining([`.removing-${halfGone}`]));
  });

  it("stops a step whose pod's folder somebody else has deleted", async () => {
    const pod = await start({ fenceMs: 4_000 });
    await pod.startStep(stepSpec(0, "echo $$ > pid; while :; do sleep 0.1; done"), signal);
    const pid = await pidIn(home(pod, "pid"));
    await rm(join(pods, pod.id), { recursive: true });
    await until("it is stopped", () => findProcess(pid) === undefined);
  });

  it("starts nothing in a pod that was removed, and does not bring its folder back", async () => {
    const pod = await start();
    await driver.remove(pod.id, 0, signal);
    expect((await run(pod, 0, "true")).end).toMatchObject({ type: "gone", reason: "pod_lost" });
    expect(await readdir(pods)).not.toContain(pod.id);
  });

  it("blames the definition for a working directory that cannot be made", async () => {
    const pod = await start();
    await expect(pod.startStep({ ...stepSpec(0, "true"), workingDir: "/proc/nowhere" }, signal)).rejects.toMatchObject({
      reason: "config",
    });
  });

  it("refuses privileged containers, and services, which it cannot run", async () => {
    const container = { image: "x", environment: {}, privileged: false, tmpfs: [] };
    await expect(start({ containers: [{ ...container, privileged: true }] })).rejects.toThrow(PodError);
    await expect(start({ containers: [container, container] })).rejects.toThrow("services");
  });

  it("says that it ignores the image", async () => {
    expect((await start()).remarks.join()).toContain(`image ${images.busybox} is ignored`);
  });

  it("starts no step in a pod whose time to start has passed", async () => {
    const pod = await start({ startBy: Date.now() - 2_000 });
    const { end, output } = await run(pod, 0, "echo ran");
    expect(end).toMatchObject({ type: "gone", reason: "executor_lost" });
    expect(output).toBe("");
  });

  it("stops the steps of a pod that nobody has touched for its fence time", async () => {
    const pod = await start({ startBy: Date.now() + 1_000, fenceMs: 1_000 });
    await pod.startStep(stepSpec(0, "echo $$ > pid; while :; do sleep 0.1; done"), signal);
    const pid = await pidIn(home(pod, "pid"));
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "executor_lost" });
    expect(findProcess(pid)).toBeUndefined();
  });

  it("lets a touched pod go on beyond its time to start, but never beyond its deadline", async () => {
    const begun = Date.now();
    const pod = await start({ startBy: begun + 1_000, fenceMs: 60_000, deadlineAt: begun + 3_000 });
    await pod.touch(begun, signal);
    await pod.startStep(stepSpec(0, "while :; do sleep 0.1; done"), signal);
    await pod.waitStep(0, signal);
    expect(Date.now() - begun).toBeGreaterThan(2_000);
  });

  it("tells a step whose supervisor was killed as lost", async () => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "echo $$ > pid; while :; do sleep 0.1; done"), signal);
    const supervisor = findProcess(await pidIn(home(pod, "pid")))?.parent ?? 0;
    process.kill(supervisor, "SIGKILL");
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "pod_lost" });
  });

  it("does not take a log for ended while a daemon still writes to it", async () => {
    const pod = await start();
    const { output } = await run(pod, 0, "(while :; do echo noise; done) & echo $! > daemon; echo done");
    expect(output).toContain("done\n");
    await driver.remove(pod.id, 0, signal);
  });
});
