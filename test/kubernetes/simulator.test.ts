import { afterAll, beforeAll, expect, it } from "vitest";
import { type ClusterUnderTest, simulatedCluster } from "../support/kubernetes/cluster-under-test.ts";
import { describeWithCluster } from "../support/kubernetes/describe-with-cluster.ts";
import { readGolden } from "../support/kubernetes/golden.ts";
import { realCluster } from "../support/kubernetes/real-cluster.ts";
import { replay } from "../support/kubernetes/replay.ts";
import { startSimulator } from "../support/kubernetes/simulator.ts";
import { scripts } from "./replay-scripts.ts";

const namespace = "ostler-facts";
const real = process.env["KUBECONFIG"] ?? "";
/** A real cluster cannot be told to lose a node, nor does it have the callers and nodes of the recordings. */
const names = Object.keys(scripts).filter((name) => real === "" || scripts[name]?.simulated === undefined);
/** They mostly wait, but too many at once make a small machine late. */
const atOnce = 10;
/** The node of the recordings. */
const recordedNode = { name: "node1", cpu: "2", memoryMi: 24_105.5625, podCount: 110 };

async function openCluster(): Promise<ClusterUnderTest> {
  if (real !== "") return realCluster(real, namespace);
  const simulator = await startSimulator({ namespaces: [namespace, "ostler-facts-w"], nodes: [recordedNode], speed: 5, userSpeed: 4 });
  return simulatedCluster(simulator, namespace);
}

/** Recordings of a real 1.32 cluster, each played against the one under test: the same requests, and no answer that differs. */
describeWithCluster("the cluster answers as the recorded one did", () => {
  let shared: ClusterUnderTest;
  const outcomes = new Map(names.map((name) => [name, Promise.withResolvers<readonly string[]>()]));

  const play = async (name: string) => {
    const cluster = scripts[name]?.alone === true && real === "" ? await openCluster() : shared;
    const found = await replay(cluster, readGolden(name), scripts[name]);
    if (cluster !== shared) await cluster.close();
    return found;
  };
  beforeAll(async () => {
    shared = await openCluster();
    const waiting = [...names];
    const work = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        await play(name).then(outcomes.get(name)?.resolve, outcomes.get(name)?.reject);
      }
    };
    for (let index = 0; index < atOnce; index += 1) void work();
  });
  afterAll(() => shared.close());

  it.each(names)("%s", async (name) => {
    expect(await outcomes.get(name)?.promise).toEqual([]);
  });
});
