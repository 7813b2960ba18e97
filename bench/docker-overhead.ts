import { execFileSync } from "node:child_process";
import { createDockerDriver } from "../src/executors/docker/docker-driver.ts";
import { connectEngine } from "../src/executors/docker/engine.ts";
import type { PodSpec } from "../src/executors/driver.ts";
import { images } from "../test/support/docker-images.ts";
import { startDocker } from "../test/support/dockerd.ts";
import { median, quantile } from "./quantile.ts";

// What ostler adds on Docker to the time from nothing to a step's first byte of output: against a bare container of the same
// image that is created, started and attached to. Both in turn, on one daemon. `node bench/docker-overhead.ts [rounds]`

const rounds = Number(process.argv[2] ?? 30);
const limitMs = 150;
// The daemon's own processes keep nobody awake.
const awake = setInterval(() => {}, 1_000);
const docker = await startDocker();
const host = `unix://${docker.socketPath}`;
const { engine, close } = await connectEngine(host);
const driver = createDockerDriver({ host, helperImage: images.busybox, allowPrivileged: false });
const signal = new AbortController().signal;

async function bare(): Promise<number> {
  const begun = performance.now();
  const container = await engine.createContainer({ Image: images.busybox, Cmd: ["echo", "one"] });
  const output = await container.attach({ stream: true, stdout: true });
  await container.start();
  for await (const _ of output) break;
  const took = performance.now() - begun;
  await container.remove({ force: true, v: true });
  return took;
}

async function pod(serial: number): Promise<number> {
  const begun = performance.now();
  const owner = { installation: "bench", executor: "e", incarnation: "i", group: "g", runId: "r", task: "t", attempt: 1 };
  const now = Date.now();
  const spec: PodSpec = {
    id: `bench-${serial}`,
    owner,
    arch: undefined,
    containers: [{ image: images.busybox, environment: {}, privileged: false, tmpfs: [] }],
    registries: {},
    deadlineAt: now + 3_600_000,
    startBy: now + 60_000,
    fenceMs: 600_000,
  };
  const handle = await driver.start(spec, () => {}, signal);
  await handle.startStep({ index: 0, command: "echo one", shell: ["/bin/sh", "-e"], workingDir: "~", environment: {} }, signal);
  for await (const _ of handle.followOutput(0, 0, signal)) break;
  const took = performance.now() - begun;
  await driver.remove(spec.id, 0, signal);
  return took;
}

try {
  const [withOstler, without]: [number[], number[]] = [[], []];
  // The first ones fill caches and the helper's volume.
  for (let round = -3; round < rounds; round++) {
    const [theirs, ours] = [await bare(), await pod(round + 3)];
    if (round < 0) continue;
    without.push(theirs);
    withOstler.push(ours);
  }
  const differences = withOstler.map((ours, round) => ours - (without[round] ?? 0));
  const line = (name: string, values: readonly number[]) =>
    console.log(`${name.padEnd(16)} median ${median(values).toFixed(0)} ms, 90% ${quantile(values, 0.9).toFixed(0)} ms`);
  console.log(`${rounds} rounds, load ${execFileSync("cut", ["-d ", "-f1", "/proc/loadavg"], { encoding: "utf8" }).trim()}`);
  line("bare container", without);
  line("pod and step", withOstler);
  line("overhead", differences);
  process.exitCode = median(differences) <= limitMs ? 0 : 1;
} finally {
  await driver.close();
  close();
  await docker.remove();
  clearInterval(awake);
}
