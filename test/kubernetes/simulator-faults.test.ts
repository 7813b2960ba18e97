import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listProcesses } from "../../src/executors/processes.ts";
import { type ClusterUnderTest, simulatedCluster } from "../support/kubernetes/cluster-under-test.ts";
import { describeWithCluster } from "../support/kubernetes/describe-with-cluster.ts";
import { listAt, parseJson, textAt } from "../support/kubernetes/json.ts";
import { type Simulator, startSimulator } from "../support/kubernetes/simulator.ts";
import { api, createPod, shell, untilGone, untilPhase } from "../support/kubernetes/test-pods.ts";
import { watch } from "../support/kubernetes/watched.ts";
import { until } from "../support/until.ts";

const namespace = "ostler";
const pods = `/api/v1/namespaces/${namespace}/pods`;
const login = { username: "u", password: "p" };
const locked = "registry.example/locked:1";

describeWithCluster("the simulated cluster, told to fail", () => {
  let simulator: Simulator;
  let cluster: ClusterUnderTest;
  beforeEach(async () => {
    simulator = await startSimulator({ speed: 100, images: { [locked]: { kind: "shell", login } } });
    cluster = simulatedCluster(simulator, namespace);
  });
  afterEach(() => cluster.close());

  const get = (path: string) => api(cluster, "GET", path);
  const run = async (name: string, script = "sleep 1000") => {
    await createPod(cluster, { name, containers: [shell("main", script)] });
    await untilPhase(cluster, name, "Running");
    return { namespace, name };
  };
  const exec = async (name: string, ...command: string[]) => {
    const query = new URLSearchParams({ container: "main", stdout: "true" });
    for (const word of command) query.append("command", word);
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": "v5.channel.k8s.io" };
    const socket = await cluster.webSocket(`${pods}/${name}/exec?${query}`, headers);
    const code = await socket.closed;
    const on = (channel: number) =>
      Buffer.concat(socket.frames.filter(({ payload }) => payload[0] === channel).map(({ payload }) => payload.subarray(1)));
    return { code, output: on(1).toString(), status: on(3).toString(), bytes: socket.bytes() };
  };
  const conditionOf = async (path: string, type: string) =>
    textAt(
      listAt(await get(path), "status", "conditions").find((one) => textAt(one, "type") === type),
      "status",
    );

  it("rule 57: marks a lost node and its pods while these go on, and finishes their deletion when it is back", async () => {
    await run("stays", "n=0; while true; do n=$((n+1)); echo $n; sleep 0.05; done");
    simulator.nodes.lose("node1");
    expect((await cluster.request({ method: "GET", path: `${pods}/stays/log` })).status).toBe(500);
    expect(textAt(parseJson((await exec("stays", "true")).status), "reason")).toBe("InternalError");
    await until("the node is marked", async () => (await conditionOf("/api/v1/nodes/node1", "Ready")) === "Unknown");
    await until("the pod is marked", async () => (await conditionOf(`${pods}/stays`, "Ready")) === "False");
    expect(textAt(await get(`${pods}/stays`), "status", "phase")).toBe("Running");
    expect(listAt(await get("/api/v1/nodes/node1"), "spec", "taints").map((taint) => textAt(taint, "key"))).toEqual([
      "node.kubernetes.io/unreachable",
    ]);
    await api(cluster, "DELETE", `${pods}/stays`);
    const deleted = await get(`${pods}/stays`);
    const uid = textAt(deleted, "metadata", "uid") ?? "";
    const graceEnds = Date.parse(textAt(deleted, "metadata", "deletionTimestamp") ?? "") + 1000;
    await until("its grace is over", () => Date.now() > graceEnds);
    expect(simulator.nodes.find("node1")?.findContainer(uid, "main")?.process).toBeDefined();
    simulator.nodes.restore("node1");
    await untilGone(cluster, "stays");
    expect(await conditionOf("/api/v1/nodes/node1", "Ready")).toBe("True");
  });

  it("rules 19 and 22: resets watches when the API goes away, and answers older versions with 410 inside the stream when it is back", async () => {
    await run("outlives");
    const before = textAt(await get(pods), "metadata", "resourceVersion");
    const watched = await watch(cluster, `${pods}?watch=1&resourceVersion=${before}`);
    await simulator.stop();
    await until("the watch is cut", watched.ended);
    await expect(get(pods)).rejects.toThrow(/ECONNREFUSED|socket hang up|ECONNRESET/);
    await simulator.start();
    await createPod(cluster, { name: "later", containers: [shell("main", "true")] });
    expect(textAt(await get(`${pods}/outlives`), "status", "phase")).toBe("Running");
    simulator.store.forgetHistory();
    const old = await watch(cluster, `${pods}?watch=1&resourceVersion=${before}`);
    await until("the old watch has ended", old.ended);
    expect(old.told()).toEqual(["ERROR 410"]);
  });

  it("cuts logs, watches and execs at the byte that it is told, and counts what is asked of it", async () => {
    await run("chatty", "while true; do echo 0123456789; done");
    for (const bytes of [1, 7, 100]) {
      simulator.cutStreams(bytes);
      const response = await cluster.open({ method: "GET", path: `${pods}/chatty/log?follow=true` });
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => {});
      await until("the log is cut", () => response.destroyed);
      expect(Buffer.concat(chunks).length).toBe(bytes);
      expect(await exec("chatty", "seq", "1000")).toMatchObject({ code: 1006, bytes });
    }
    simulator.cutStreams(undefined);
    expect((await exec("chatty", "echo", "whole")).output).toBe("whole\n");
    expect(simulator.requests.count({ verb: "get", resource: "pods/exec" })).toBe(4);
    expect(simulator.requests.count({ verb: "create", resource: "pods", namespace })).toBe(1);
  });

  it("rule 36: evicts a pod, whose object stays", async () => {
    simulator.evict(await run("evicted"), "The node was low on resource: memory. ");
    await untilPhase(cluster, "evicted", "Failed");
    const pod = await get(`${pods}/evicted`);
    expect(pod["status"]).toMatchObject({ reason: "Evicted", message: "The node was low on resource: memory. " });
    expect(listAt(pod, "status", "containerStatuses")[0]).toMatchObject({ state: { terminated: { exitCode: 137 } } });
  });

  it("destroys a node with all that ran there", async () => {
    const node = simulator.nodes.add({ arch: "arm64" });
    await createPod(cluster, { name: "there", nodeSelector: { "kubernetes.io/arch": "arm64" }, containers: [shell("main", "sleep 1000")] });
    await untilPhase(cluster, "there", "Running");
    await simulator.nodes.destroy(node);
    await untilGone(cluster, "there");
    expect(await get(`/api/v1/nodes/${node}`)).toMatchObject({ code: 404 });
  });

  it("rule 11: lets an account do what its rules say, and nothing else", async () => {
    const config = new KubeConfig();
    config.loadFromString(simulator.kubeconfigOf({ namespace, name: "small", rules: [{ verbs: ["list"], resources: ["pods"] }] }));
    const small = config.makeApiClient(CoreV1Api);
    expect((await small.listNamespacedPod({ namespace })).items).toEqual([]);
    await expect(small.listNamespacedSecret({ namespace })).rejects.toMatchObject({ code: 403 });
    await expect(small.listNamespacedPod({ namespace: "default" })).rejects.toMatchObject({ code: 403 });
  });

  it("rule 41: obeys a deletion without its body when that was sent without a length, and refuses what follows", async () => {
    await api(cluster, "POST", `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name: "unguarded" } });
    const { hostname, port } = new URL(simulator.url);
    const socket = connect({ host: hostname, port: Number(port), ca: Buffer.from(simulator.caData, "base64").toString() });
    const head = [
      `DELETE /api/v1/namespaces/${namespace}/secrets/unguarded HTTP/1.1`,
      "Host: h",
      `Authorization: Bearer ${simulator.token}`,
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n{"preconditions":{"uid":"00000000-0000-0000-0000-000000000000"}}`);
    const answers = (await text(socket)).match(/^HTTP\/1.1 \d+/gm);
    expect(answers).toEqual(["HTTP/1.1 200", "HTTP/1.1 400"]);
    expect(await get(`/api/v1/namespaces/${namespace}/secrets/unguarded`)).toMatchObject({ code: 404 });
  });

  it("pulls a locked image only with the credentials of a pull secret", async () => {
    const container = { ...shell("main", "true"), image: locked };
    await createPod(cluster, { name: "without", containers: [container] });
    const reason = async () => textAt(listAt(await get(`${pods}/without`), "status", "containerStatuses")[0], "state", "waiting", "reason");
    await until("the pull has failed", async () => (await reason()) === "ErrImagePull");
    const auths = { "registry.example": { auth: btoa(`${login.username}:${login.password}`) } };
    const data = { ".dockerconfigjson": btoa(JSON.stringify({ auths })) };
    await api(cluster, "POST", `/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: "key" },
      type: "kubernetes.io/dockerconfigjson",
      data,
    });
    await createPod(cluster, { name: "with", imagePullSecrets: [{ name: "key" }], containers: [container] });
    await untilPhase(cluster, "with", "Succeeded");
  });

  it("rule 27: has images without a shell, in which a helper from a volume runs all the same", async () => {
    const mount = { volumeMounts: [{ name: "tool", mountPath: "/tool" }] };
    const bare = { name: "main", image: "registry.example/no-shell:1" };
    await createPod(cluster, { name: "bare", containers: [{ ...bare, command: ["sh", "-c", "true"] }] });
    await createPod(cluster, {
      name: "helped",
      volumes: [{ name: "tool", emptyDir: {} }],
      initContainers: [shell("copy", "cp /bin/busybox /tool/busybox", mount)],
      containers: [
        {
          ...bare,
          ...mount,
          command: ["/tool/busybox", "sh", "-c", "test ! -e /bin/sh"],
          securityContext: { runAsUser: 1000, readOnlyRootFilesystem: true },
        },
      ],
    });
    await untilPhase(cluster, "bare", "Failed");
    await untilPhase(cluster, "helped", "Succeeded");
    expect(listAt(await get(`${pods}/bare`), "status", "containerStatuses")[0]).toMatchObject({
      state: { terminated: { reason: "StartError", exitCode: 128 } },
    });
  });
});

describeWithCluster("the process of a simulated cluster", () => {
  it("takes its containers along when it is killed", takesContainersAlong);
});

async function takesContainersAlong(): Promise<void> {
  const mark = `mark-${process.pid}`;
  const fixture = join(import.meta.dirname, "fixtures/cluster-with-pod.ts");
  const child = spawn(process.execPath, [fixture, mark], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  // The fixture itself has the mark alone.
  const marked = () => listProcesses().filter(({ pid }) => commandLine(pid).includes(`echo ${mark}`));
  expect(marked().length).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await until("its containers are gone", () => marked().length === 0);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
