/**
 * From the wish for a pod to the first line of its step, beside the same for a bare pod of the same image, in turn.
 *
 *   [KUBECONFIG=…] node bench/kubernetes/overhead.ts [rounds, 10]
 */
import { openCluster } from "../../src/executors/kubernetes/cluster.ts";
import { createKubernetesDriver } from "../../src/executors/kubernetes/kubernetes-driver.ts";
import { ObservedPod } from "../../src/executors/kubernetes/observed-pod.ts";
import { keyOf, podsPath } from "../../src/executors/kubernetes/pod-calls.ts";
import { openPodWatch } from "../../src/executors/kubernetes/pod-watch.ts";
import { quantile } from "../quantile.ts";
import { benchPod, driverOptions, openBenchCluster } from "./cluster.ts";

const rounds = Number(process.argv[2] ?? 10);
const signal = new AbortController().signal;
const bench = await openBenchCluster(1);
const driver = createKubernetesDriver({ ...driverOptions, kubeconfig: bench.kubeconfig });
const cluster = await openCluster({ kubeconfig: bench.kubeconfig });
const watch = openPodWatch(cluster.api, { path: podsPath(cluster), labelSelector: "bench=bare" });

async function first(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) if (chunk.length > 0) return;
}

async function barePod(serial: number): Promise<number> {
  const name = `bare-${process.pid}-${serial}`;
  const path = podsPath(cluster);
  const [container] = benchPod(serial).containers;
  const began = performance.now();
  const pod = ObservedPod.parse(
    await cluster.api.call(
      {
        method: "POST",
        path,
        body: {
          metadata: { name, labels: { bench: "bare" } },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 1,
            containers: [{ name: "main", image: container?.image, command: ["sh", "-c", "echo first; exec sleep 60"] }],
          },
        },
      },
      signal,
    ),
  );
  watch.note(pod);
  await watch.when(keyOf(pod), (seen) => (seen?.status?.containerStatuses?.[0]?.state?.running ? true : undefined), signal);
  await first(await cluster.api.stream({ method: "GET", path: `${path}/${name}/log`, query: { follow: "true" } }, signal));
  const took = performance.now() - began;
  await cluster.api.call({ method: "DELETE", path: `${path}/${name}`, body: { gracePeriodSeconds: 1 } }, signal);
  await watch.when(keyOf(pod), (seen) => (seen ? undefined : true), signal);
  return took;
}

async function ostlerPod(serial: number): Promise<number> {
  const spec = benchPod(serial);
  const began = performance.now();
  const pod = await driver.start(spec, () => {}, signal);
  await pod.startStep({ index: 0, command: "echo first", shell: ["/bin/sh"], workingDir: "~", environment: {} }, signal);
  await first(pod.followOutput(0, 0, signal));
  const took = performance.now() - began;
  await driver.remove(spec.id, 0, signal);
  return took;
}

const bare: number[] = [];
const ostler: number[] = [];
for (let round = 0; round <= rounds; round++) {
  const pair = [await barePod(round), await ostlerPod(round)] as const;
  // The first pulls images and opens connections.
  if (round === 0) continue;
  bare.push(pair[0]);
  ostler.push(pair[1]);
}
const [bareMs, ostlerMs] = [quantile(bare, 0.5), quantile(ostler, 0.5)];
console.log(
  `on ${bench.name}, medians of ${rounds}: bare pod ${Math.round(bareMs)} ms, ostler ${Math.round(ostlerMs)} ms, more by ${Math.round(ostlerMs - bareMs)} ms`,
);
await watch.close();
await driver.close();
await cluster.close();
await bench.close();
