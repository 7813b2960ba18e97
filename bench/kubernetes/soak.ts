/**
 * One driver with many no-op pods at once, for a while: does its memory grow, and how many connections does the API server have?
 *
 *   node --expose-gc bench/kubernetes/soak.ts [pods at once, 500] [pods in all, 5000]
 */
import { createKubernetesDriver } from "../../src/executors/kubernetes/kubernetes-driver.ts";
import { quantile } from "../quantile.ts";
import { benchPod, driverOptions, openBenchCluster } from "./cluster.ts";

const [atOnce = 500, inAll = 5_000] = process.argv.slice(2).map(Number);
const sampleMs = 5_000;
const signal = new AbortController().signal;

const cluster = await openBenchCluster(50);
const driver = createKubernetesDriver({ ...driverOptions, kubeconfig: cluster.kubeconfig });
const began = performance.now();
const latencies: number[] = [];
let begun = 0;
let mostConnections = 0;

async function work(): Promise<void> {
  while (begun < inAll) {
    begun += 1;
    const start = performance.now();
    await onePod(begun);
    latencies.push(performance.now() - start);
  }
}

async function onePod(serial: number): Promise<void> {
  const spec = benchPod(serial);
  const pod = await driver.start(spec, () => {}, signal);
  await pod.startStep({ index: 0, command: "true", shell: ["/bin/sh"], workingDir: "~", environment: {} }, signal);
  for await (const _ of pod.followOutput(0, 0, signal));
  const end = await pod.waitStep(0, signal);
  if (end.type !== "exited" || end.exitCode !== 0) throw new Error(`pod ${serial}: ${JSON.stringify(end)}`);
  // As the executor does: it tells no end before the pod is gone, however often it has to ask.
  for (let isGone = false; !isGone; ) {
    isGone = await driver.remove(spec.id, 0, signal).then(
      () => true,
      () => false,
    );
  }
}

async function sample(): Promise<void> {
  const figures = await cluster.figures();
  mostConnections = Math.max(mostConnections, figures?.connections ?? 0);
  global.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const parts = [
    `${Math.round((performance.now() - began) / 1_000)} s`,
    `done ${latencies.length}`,
    `heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB`,
    `rss ${(rss / 2 ** 20).toFixed(0)} MiB`,
    `connections ${figures?.connections}`,
    `requests ${figures?.requests}`,
  ];
  console.log(parts.join("  "));
}

const sampler = setInterval(() => void sample(), sampleMs);
await Promise.all(Array.from({ length: atOnce }, work));
clearInterval(sampler);
await sample();
const seconds = ((performance.now() - began) / 1_000).toFixed(0);
console.log(
  `${inAll} pods, ${atOnce} at once, in ${seconds} s; median ${Math.round(quantile(latencies, 0.5))} ms; at most ${mostConnections} connections`,
);
await driver.close();
await cluster.close();
