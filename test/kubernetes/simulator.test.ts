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
  let shared: ClusterUnderTest;
  const outcomes = new Map(names.map((name) => [name, Promise.withResolvers<readonly string[]>()]));

  const open = async () => {
    const simulator = await startSimulator({ namespaces: [namespace, "ostler-facts-w"], nodes: [recordedNode], speed: 8, userSpeed: 8 });
    return simulatedCluster(simulator, namespace);
  };
  const close = async (cluster: ClusterUnderTest) => {
    await cluster.close();
    await cluster.simulator?.close();
  };
  const play = async (name: string) => {
    const cluster = scripts[name]?.alone === true ? await open() : shared;
    const found = await replay(cluster, readGolden(name), scripts[name]);
    if (cluster !== shared) await close(cluster);
    return found;
  };
  beforeAll(async () => {
    shared = await open();
    const waiting = names.filter((name) => new RegExp(process.env["ONLY"] ?? "").test(name));
    const work = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        await play(name).then(outcomes.get(name)?.resolve, outcomes.get(name)?.reject);
      }
    };
    for (let index = 0; index < atOnce; index += 1) void work();
  });
  afterAll(() => close(shared));

  it.each(names)("%s", async (name) => {
    expect(await outcomes.get(name)?.promise).toEqual([]);
  });
});

const recordedNode = { name: "node1", cpu: "2", memoryMi: 24_105.5625, podCount: 110 };
