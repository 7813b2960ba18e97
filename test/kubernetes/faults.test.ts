import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver, PodContainer, PodHandle, PodSpec } from "../../src/executors/driver.ts";
import { permissions } from "../../src/executors/kubernetes/permissions.ts";
import { podSpec, stepSpec } from "../executors/driver-contract.ts";
import { pods as podResource, secrets } from "../support/kubernetes/resource.ts";
import { type Simulator, startSimulator } from "../support/kubernetes/simulator.ts";
import { until } from "../support/until.ts";
import { clusterOf, driverOf } from "./tested-cluster.ts";

const signal = new AbortController().signal;
const main: PodContainer = { image: "busybox:1.37-musl", environment: {}, privileged: false, tmpfs: [] };
const locked = "locked.example.com/app:1";
const login = { username: "u", password: "right" };

/** What only a cluster whose faults can be planned shows. */
describe("the kubernetes driver in a cluster with faults", () => {
  let simulator: Simulator;
  let driver: Driver;
  beforeEach(async () => {
    simulator = await startSimulator({ nodes: [{ name: "n1" }], images: { [locked]: { kind: "shell", login } } });
    driver = await driverOf(simulator);
  });
  afterEach(async () => {
    await driver.close();
    await simulator.close();
  });

  const start = (changes: Partial<PodSpec> = {}) => driver.start(podSpec({ containers: [main], ...changes }), () => {}, signal);
  const place = (pod: PodHandle) => ({ namespace: "ostler", name: pod.id });
  const hang = async (pod: PodHandle) => {
    await pod.startStep(stepSpec(0, "echo up; while :; do sleep 0.1; done"), signal);
    for await (const chunk of pod.followOutput(0, 0, signal)) if (chunk.length > 0) break;
  };

  it("gives up an image at once that its registry refuses, and leaves no secret when the pod goes", async () => {
    const spec = podSpec({
      containers: [{ ...main, image: locked }],
      registries: { "locked.example.com": { ...login, password: "wrong" } },
    });
    await expect(driver.start(spec, () => {}, signal)).rejects.toMatchObject({
      reason: "image_permanent",
      message: expect.stringContaining("pull access denied"),
    });
    expect(simulator.store.list(secrets)).toHaveLength(1);
    await driver.remove(spec.id, 0, signal);
    await until("the secret is gone with its pod", () => simulator.store.list(secrets).length === 0);
  });

  it("pulls with the login of the image's own registry", async () => {
    const pod = await start({ containers: [{ ...main, image: locked }], registries: { "locked.example.com": login } });
    await pod.startStep(stepSpec(0, "exit 4"), signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ exitCode: 4 });
  });

  it("tells a step that was killed for its memory", async () => {
    const pod = await start();
    await hang(pod);
    simulator.oomKill(place(pod), "main");
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "oom" });
  });

  it("tells an eviction, with the node's own words", async () => {
    const pod = await start();
    await hang(pod);
    simulator.evict(place(pod), "The node was low on resource: ephemeral-storage. ");
    expect(await pod.waitStep(0, signal)).toMatchObject({
      type: "gone",
      reason: "evicted",
      message: expect.stringContaining("The node was low on resource: ephemeral-storage."),
    });
  });

  it("takes an eviction by the API for one, although the step was asked to end and did", async () => {
    const pod = await start();
    await hang(pod);
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod.id } };
    const { api, close } = await clusterOf(simulator);
    await api.call({ method: "POST", path: `/api/v1/namespaces/ostler/pods/${pod.id}/eviction`, body: eviction }, signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "evicted" });
    await close();
  });

  it("takes a pod that somebody else removes for lost, and not for a failure of its step", async () => {
    const pod = await start();
    await hang(pod);
    const other = await driverOf(simulator);
    await other.remove(pod.id, 5_000, signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "pod_lost" });
    await other.close();
  });

  it("takes a step that somebody else's removal of its pod makes exit for lost, and not for failed", async () => {
    const pod = await start();
    const lingering = "(trap '' TERM; sleep 2) & trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done";
    await pod.startStep(stepSpec(0, lingering), signal);
    const follower = pod.followOutput(0, 0, signal)[Symbol.asyncIterator]();
    await follower.next();
    const waiting = pod.waitStep(0, signal);
    const rest = read({ [Symbol.asyncIterator]: () => follower });
    const other = await driverOf(simulator);
    await other.remove(pod.id, 5_000, signal);
    expect(await waiting).toMatchObject({ type: "gone", reason: "pod_lost" });
    await rest;
    await other.close();
  });

  it("waits for a pod whose node does not answer, which may go on running, and loses nothing when it is back", async () => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two"), signal);
    simulator.nodes.lose("n1");
    await until("the node is marked", () => JSON.stringify(simulator.store.list(podResource)).includes('"Ready","status":"False"'));
    let ended = false;
    const waiting = pod.waitStep(0, signal).finally(() => {
      ended = true;
    });
    await expect(driver.remove(pod.id, 0, AbortSignal.timeout(500))).rejects.toThrow();
    expect(ended).toBe(false);
    simulator.nodes.restore("n1");
    expect(await waiting).toMatchObject({ type: "gone" });
  });

  it("takes a node that is gone for the end of its pods", async () => {
    const pod = await start();
    await hang(pod);
    await simulator.nodes.destroy("n1");
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "pod_lost" });
    await driver.remove(pod.id, 0, signal);
    expect(await driver.list("i1", signal)).toEqual([]);
  });

  it("lets steps go on while the API server is away, and tells all that they printed when it is back", async () => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.1; done; exit 9"), signal);
    const output = read(pod.followOutput(0, 0, signal));
    const waiting = pod.waitStep(0, signal);
    await simulator.stop();
    await expect(driver.list("i1", AbortSignal.timeout(2_000))).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await simulator.start();
    expect(await output).toBe("1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    expect(await waiting).toMatchObject({ type: "exited", exitCode: 9 });
    const [entry] = await driver.list("i1", signal);
    expect(entry?.id).toBe(pod.id);
  });

  it("starts a pod that was asked for while the API server was away", async () => {
    await driver.groupId();
    await simulator.stop();
    const starting = start();
    await expect(driver.list("i1", AbortSignal.timeout(500))).rejects.toThrow();
    await simulator.start();
    const pod = await starting;
    await pod.startStep(stepSpec(0, "exit 2"), signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ exitCode: 2 });
  });

  it("hears of a pod that went while the API server was away, although the server has forgotten that it did", async () => {
    const pod = await start();
    await hang(pod);
    await simulator.stop();
    simulator.store.remove(podResource, "ostler", pod.id);
    await simulator.start();
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone", reason: "pod_lost" });
  });

  it("completes a start that was broken off between the pod and its secret", async () => {
    const namespaced = permissions.filter(({ resource }) => resource !== "secrets");
    const rules = namespaced.map(({ resource, verbs }) => ({ resources: [resource], verbs }));
    const halfway = await driverOf(simulator, simulator.kubeconfigOf({ namespace: "ostler", name: "halfway", rules }));
    const spec = podSpec({ containers: [{ ...main, image: locked }], registries: { "locked.example.com": login } });
    await expect(halfway.start(spec, () => {}, signal)).rejects.toMatchObject({
      reason: "setup",
      message: expect.stringContaining("secrets"),
    });
    await halfway.close();
    expect((await driver.list("i1", signal)).map(({ id }) => id)).toEqual([spec.id]);
    const pod = await driver.start(spec, () => {}, signal);
    await pod.startStep(stepSpec(0, "exit 4"), signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ exitCode: 4 });
  });

  it("attaches to no pod that was never complete, within seconds", async () => {
    const given = new AbortController();
    const spec = podSpec({ containers: [main], arch: "arm64" });
    const starting = driver.start(spec, () => given.abort(new Error("enough")), given.signal);
    await expect(starting).rejects.toThrow("enough");
    const successor = await driverOf(simulator);
    expect(await successor.attach(spec.id, signal)).toBeUndefined();
    await successor.close();
  });

  it("goes on with a service's log where its connection was cut", async () => {
    const talkative = ["sh", "-c", "i=0; while [ $i -lt 50 ]; do echo service $i; i=$((i+1)); sleep 0.02; done; exec sleep 1000"];
    const pod = await start({ containers: [main, { ...main, entrypoint: talkative }] });
    const cutting = setInterval(() => simulator.dropStreams(), 150);
    let text = "";
    for await (const chunk of pod.followService(1, 0, signal)) {
      text += Buffer.from(chunk).toString();
      if (text.includes("service 49\n")) break;
    }
    clearInterval(cutting);
    expect(text).toBe(Array.from({ length: 50 }, (_, index) => `service ${index}\n`).join(""));
  });

  it.each([1, 2, 30, 64, 100, 257, 1_000, 4_095])("loses no byte when every stream is cut after %i bytes", async (bytes) => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; exit 3"), signal);
    simulator.cutStreams(bytes);
    simulator.dropStreams();
    const successor = await driverOf(simulator);
    const lifting = setTimeout(() => simulator.cutStreams(undefined), 1_500);
    const attached = await successor.attach(pod.id, signal);
    if (!attached) throw new Error("the pod is gone");
    expect(await read(attached.followOutput(0, 0, signal))).toBe(Array.from({ length: 300 }, (_, index) => `line ${index}\n`).join(""));
    expect(await attached.waitStep(0, signal)).toMatchObject({ exitCode: 3 });
    clearTimeout(lifting);
    await successor.close();
  });

  it("asks the API server for at most five things besides watches, for a task of one step", async () => {
    await start().then((pod) => driver.remove(pod.id, 0, signal));
    simulator.requests.clear();
    const pod = await start();
    await pod.startStep(stepSpec(0, "echo hello"), signal);
    expect(await read(pod.followOutput(0, 0, signal))).toBe("hello\n");
    expect(await pod.waitStep(0, signal)).toMatchObject({ exitCode: 0 });
    await driver.remove(pod.id, 0, signal);
    const asked = simulator.requests.list().filter(({ verb }) => verb !== "watch");
    expect(asked.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(["create pods", "get pods/exec", "delete pods"]);
  });
});

async function read(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
