import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClusterUnderTest, simulatedCluster } from "../support/kubernetes/cluster-under-test.ts";
import { readGolden } from "../support/kubernetes/golden.ts";
import { replay } from "../support/kubernetes/replay.ts";
import { startSimulator } from "../support/kubernetes/simulator.ts";
import { scripts } from "./replay-scripts.ts";

const namespace = "ostler-facts";
const names = Object.keys(scripts);
/** They mostly wait, but too many at once make a small machine late. */
const atOnce = 10;

/** Recordings of a real 1.32 cluster, each played against the simulated one: the same requests, and no answer that differs. */
describe("the simulated cluster answers as the recorded one did", () => {
  let cluster: ClusterUnderTest;
  const outcomes = new Map(names.map((name) => [name, Promise.withResolvers<readonly string[]>()]));
  beforeAll(async () => {
    const simulator = await startSimulator({ namespaces: [namespace, "ostler-facts-w"], speed: 8, userSpeed: 8 });
    cluster = simulatedCluster(simulator, namespace);
    const waiting = [...names];
    const play = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        await replay(cluster, readGolden(name), scripts[name]).then(outcomes.get(name)?.resolve, outcomes.get(name)?.reject);
      }
    };
    for (let index = 0; index < atOnce; index += 1) void play();
  });
  afterAll(async () => {
    await cluster.close();
    await cluster.simulator?.close();
  });

  it.each(names)("%s", async (name) => {
    expect(await outcomes.get(name)?.promise).toEqual([]);
  });
});
