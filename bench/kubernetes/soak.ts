/**
 * One driver with many no-op pods at once, for a while: does its memory grow, and how many connections does the API server have?
 *
 *   node --expose-gc bench/kubernetes/soak.ts [pods at once, 500] [pods in all, 5000]
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver } from "../../src/executors/driver.ts";
import { createKubernetesDriver } from "../../src/executors/kubernetes/kubernetes-driver.ts";

const [atOnce = 500, inAll = 5_000] = process.argv.slice(2).map(Number);
const sampleMs = 5_000;
const signal = new AbortController().signal;

const cluster = fork(new URL("./simulator-process.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
const ready = await heard(cluster, "ready");
const folder = await mkdtemp(join(tmpdir(), "ostler-soak-"));
await writeFile(join(folder, "kubeconfig"), String(ready["kubeconfig"]));
const driver = createKubernetesDriver({
  kubeconfig: join(folder, "kubeconfig"),
  helperImage: "busybox:1.37-musl",
  allowPrivileged: false,
  wishes: { nodeSelectors: [], tolerations: [], serviceAccounts: [] },
});

let begun = 0;
let done = 0;
let running = 0;
const latencies: number[] = [];

async function work(): Promise<void> {
  while (begun < inAll) {
    begun += 1;
    running += 1;
    const began = performance.now();
    await onePod(driver, begun);
    latencies.push(performance.now() - began);
    running -= 1;
    done += 1;
  }
}

async function onePod(where: Driver, serial: number): Promise<void> {
  const id = `01m856e13m00002p7my5c07hdh-${serial}-1-soak`;
  const now = Date.now();
  const pod = await where.start(
    {
      id,
      owner: {
        installation: "soak",
        executor: "e1",
        incarnation: "i",
        group: "g",
        runId: "01m856e13m00002p7my5c07hdh",
        task: "t",
        attempt: 1,
      },
      arch: undefined,
      containers: [{ image: "busybox:1", environment: {}, privileged: false, tmpfs: [] }],
      registries: {},
      deadlineAt: now + 3_600_000,
      startBy: now + 600_000,
      fenceMs: 600_000,
    },
    () => {},
    signal,
  );
  await pod.startStep({ index: 0, command: "true", shell: ["/bin/sh"], workingDir: "~", environment: {} }, signal);
  for await (const _ of pod.followOutput(0, 0, signal));
  const end = await pod.waitStep(0, signal);
  if (end.type !== "exited" || end.exitCode !== 0) throw new Error(`pod ${serial}: ${JSON.stringify(end)}`);
  // As the executor does: it tells no end before the pod is gone, however often it has to ask.
  for (let isGone = false; !isGone; ) {
    isGone = await where.remove(id, 0, signal).then(
      () => true,
      () => false,
    );
  }
}

const samples: { readonly done: number; readonly heapMb: number; readonly connections: number }[] = [];
const began = performance.now();
const sampler = setInterval(async () => {
  cluster.send("figures");
  const figures = await heard(cluster, "figures");
  global.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const seconds = Math.round((performance.now() - began) / 1_000);
  samples.push({ done, heapMb: heapUsed / 2 ** 20, connections: Number(figures["connections"]) });
  console.log(
    [
      `${seconds} s`,
      `done ${done}`,
      `running ${running}`,
      `heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB`,
      `rss ${(rss / 2 ** 20).toFixed(0)} MiB`,
    ]
      .concat([`connections ${figures["connections"]}`, `requests ${figures["requests"]}`])
      .join("  "),
  );
}, sampleMs);

await Promise.all(Array.from({ length: atOnce }, work));
clearInterval(sampler);
const seconds = (performance.now() - began) / 1_000;
latencies.sort((a, b) => a - b);
console.log(
  `${done} pods, ${atOnce} at once, in ${seconds.toFixed(0)} s; a pod took ${Math.round(latencies[Math.floor(latencies.length / 2)] ?? 0)} ms (median); ` +
    `at most ${Math.max(...samples.map(({ connections }) => connections))} connections`,
);
await driver.close();
cluster.send("close");
await once(cluster, "exit");
await rm(folder, { recursive: true, force: true });

async function heard(child: ChildProcess, type: string): Promise<Readonly<Record<string, unknown>>> {
  for (;;) {
    const [message] = await once(child, "message");
    if (message.type === type) return message;
  }
}
