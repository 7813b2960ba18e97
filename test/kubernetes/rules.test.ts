import { afterAll, beforeAll, expect, it } from "vitest";
import type { ClusterUnderTest } from "../support/kubernetes/cluster-under-test.ts";
import { simulatedCluster } from "../support/kubernetes/cluster-under-test.ts";
import { describeWithCluster } from "../support/kubernetes/describe-with-cluster.ts";
import { type JsonObject, listAt, numberAt, objectAt, parseJson, textAt, valueAt } from "../support/kubernetes/json.ts";
import { realCluster } from "../support/kubernetes/real-cluster.ts";
import { startSimulator } from "../support/kubernetes/simulator.ts";
import { api, createPod, nowhere, shell, untilGone, untilPhase } from "../support/kubernetes/test-pods.ts";
import { watch } from "../support/kubernetes/watched.ts";
import { until } from "../support/until.ts";

const namespace = "ostler-rules";
const real = process.env["KUBECONFIG"] ?? "";
const pods = `/api/v1/namespaces/${namespace}/pods`;
const secrets = `/api/v1/namespaces/${namespace}/secrets`;

/** Rules read off a real 1.32 cluster; each is named by its number in golden/README.md. Recordings that show more of them are in simulator.test.ts. */
describeWithCluster("a cluster", () => {
  let cluster: ClusterUnderTest;
  beforeAll(async () => {
    cluster =
      real === ""
        ? simulatedCluster(await startSimulator({ namespaces: [namespace], userSpeed: 5 }), namespace)
        : await realCluster(real, namespace);
  });
  afterAll(() => cluster.close());

  const get = (path: string) => api(cluster, "GET", path);
  const post = (path: string, body: JsonObject) => api(cluster, "POST", path, body);
  const version = (object: JsonObject) => Number(textAt(object, "metadata", "resourceVersion"));
  const makeSecret = (name: string) => post(secrets, { metadata: { name }, stringData: { a: "1" } });
  const sleeper = (name: string, more: JsonObject = {}) => createPod(cluster, { name, containers: [shell("main", "sleep 1000")], ...more });

  it("rule 1: counts every write of any kind with one counter", async () => {
    const first = version(await makeSecret("counted"));
    const second = version(await createPod(cluster, { name: "counted", containers: [shell("main", "true")], ...nowhere }));
    const third = version(await makeSecret("counted-too"));
    expect([second > first, third > second]).toEqual([true, true]);
  });

  it("rule 2: keeps the version when a write changes nothing", async () => {
    const made = await makeSecret("same");
    const again = await api(cluster, "PUT", `${secrets}/same`, made);
    expect(version(again)).toBe(version(made));
  });

  it("rule 4: answers a write of an old version with a conflict", async () => {
    const made = await makeSecret("stale");
    await api(cluster, "PATCH", `${secrets}/stale`, { metadata: { labels: { x: "1" } } });
    expect(await api(cluster, "PUT", `${secrets}/stale`, { ...made, immutable: true })).toMatchObject({ code: 409, reason: "Conflict" });
  });

  it("rule 5: lets one of ten racing writers through, whether they create or replace", async () => {
    const ten = Array.from({ length: 10 }, (_, index) => index);
    const created = await Promise.all(ten.map(() => makeSecret("raced")));
    expect(created.filter((answer) => answer["kind"] === "Secret")).toHaveLength(1);
    expect(created.filter((answer) => answer["reason"] === "AlreadyExists")).toHaveLength(9);
    const current = await get(`${secrets}/raced`);
    const replaced = await Promise.all(
      ten.map((n) => api(cluster, "PUT", `${secrets}/raced`, { ...current, data: { n: btoa(String(n)) } })),
    );
    expect(replaced.filter((answer) => answer["reason"] === "Conflict")).toHaveLength(9);
  });

  it("rule 8: leaves kind and apiVersion away from the items of a list", async () => {
    await makeSecret("listed");
    const [item] = listAt(await get(`${secrets}?fieldSelector=metadata.name%3Dlisted`), "items");
    expect([valueAt(item, "kind"), valueAt(item, "apiVersion"), textAt(item, "metadata", "name")]).toEqual([
      undefined,
      undefined,
      "listed",
    ]);
  });

  it("rule 10: refuses bodies over 3 MiB with 413, and secrets over 1 MiB with 422", async () => {
    const big = (bytes: number) => ({ metadata: { name: "big" }, data: { a: Buffer.alloc(bytes).toString("base64") } });
    expect(await post(secrets, big(3_000_000))).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
    expect(await post(secrets, big(1_100_000))).toMatchObject({
      code: 422,
      message: expect.stringContaining("may not be more than 1048576 bytes"),
    });
  });

  it("rule 19: ends a watch normally after its time-out, without an event", async () => {
    const watched = await watch(
      cluster,
      `${pods}?watch=1&resourceVersion=${version(await get(pods))}&timeoutSeconds=1&labelSelector=none%3Dsuch`,
    );
    await until("the watch has ended", watched.ended);
    expect(watched.lines).toEqual([]);
  });

  it("rule 20: sends bookmarks only to those who allow them, with the version of that kind", async () => {
    const { metadata } = await get(pods);
    const path = `${pods}?watch=1&resourceVersion=${textAt(metadata, "resourceVersion")}&timeoutSeconds=4&labelSelector=none%3Dsuch`;
    const [quiet, marked] = await Promise.all([watch(cluster, path), watch(cluster, `${path}&allowWatchBookmarks=true`)]);
    await until("both have ended", () => quiet.ended() && marked.ended());
    expect(quiet.lines).toEqual([]);
    const bookmark = marked.lines.find((line) => textAt(line, "type") === "BOOKMARK");
    expect(Number(textAt(bookmark, "object", "metadata", "resourceVersion"))).toBeGreaterThan(0);
  });

  it("rule 24: shows a container that ends quickly as terminated in a pod that is still Pending", async () => {
    const watched = await watch(cluster, `${pods}?watch=1&fieldSelector=metadata.name%3Dquick`);
    await createPod(cluster, { name: "quick", containers: [shell("main", "exit 0")] });
    await untilPhase(cluster, "quick", "Succeeded");
    watched.stop();
    const phases = watched.lines.map((line) => textAt(line, "object", "status", "phase"));
    const order = ["Pending", "Running", "Succeeded"];
    expect(phases).toEqual([...phases].sort((a, b) => order.indexOf(a ?? "") - order.indexOf(b ?? "")));
  });

  it("rule 34: restarts a crashing container, with a back-off that its state tells", async () => {
    await createPod(cluster, { name: "crashing", restartPolicy: "Always", containers: [shell("main", "exit 1")] });
    const status = async () => listAt(await get(`${pods}/crashing`), "status", "containerStatuses")[0];
    await until("the back-off is told", async () => textAt(await status(), "state", "waiting", "reason") === "CrashLoopBackOff", 60_000);
    expect(numberAt(await status(), "lastState", "terminated", "exitCode")).toBe(1);
    expect(numberAt(await status(), "restartCount")).toBeGreaterThan(0);
    expect(textAt(await get(`${pods}/crashing`), "status", "phase")).toBe("Running");
    await api(cluster, "DELETE", `${pods}/crashing?gracePeriodSeconds=0`);
  });

  it("rule 32: restarts a native sidecar that crashes, and takes the result of the main container all the same", async () => {
    const side = shell("side", "sleep 0.3; exit 1", { restartPolicy: "Always" });
    await createPod(cluster, { name: "crashing-side", initContainers: [side], containers: [shell("main", "sleep 2")] });
    await untilPhase(cluster, "crashing-side", "Succeeded");
    const [status] = listAt(await get(`${pods}/crashing-side`), "status", "initContainerStatuses");
    expect(numberAt(status, "restartCount")).toBeGreaterThan(0);
  });

  it("rule 36: lets a memory volume hold its size and no more, and the pod go on", async () => {
    const volumes = [{ name: "m", emptyDir: { medium: "Memory", sizeLimit: "8Mi" } }];
    const main = shell("main", "df -k /m | tail -1; dd if=/dev/zero of=/m/f bs=1M count=20; echo rc $?", {
      volumeMounts: [{ name: "m", mountPath: "/m" }],
    });
    await createPod(cluster, { name: "small-memory", volumes, containers: [main] });
    await untilPhase(cluster, "small-memory", "Succeeded");
    const { text } = await cluster.request({ method: "GET", path: `${pods}/small-memory/log` });
    expect([/tmpfs +8192 /.test(text), text.includes("No space left on device"), text.includes("rc 1\n")]).toEqual([true, true, true]);
  });

  it("rule 37: frees the name of a running pod only when it is gone", async () => {
    await sleeper("named", { terminationGracePeriodSeconds: 2 });
    await untilPhase(cluster, "named", "Running");
    const deleted = await api(cluster, "DELETE", `${pods}/named`);
    expect(numberAt(deleted, "metadata", "deletionGracePeriodSeconds")).toBe(2);
    expect(await sleeper("named")).toMatchObject({
      code: 409,
      reason: "AlreadyExists",
      message: expect.stringContaining("is being deleted"),
    });
    await untilGone(cluster, "named");
    expect(await sleeper("named")).toMatchObject({ kind: "Pod" });
  });

  it("rule 41: honours preconditions of a deletion", async () => {
    await makeSecret("guarded");
    const wrong = { preconditions: { uid: "00000000-0000-0000-0000-000000000000" } };
    expect(await api(cluster, "DELETE", `${secrets}/guarded`, wrong)).toMatchObject({ code: 409, reason: "Conflict" });
    expect(await get(`${secrets}/guarded`)).toMatchObject({ kind: "Secret" });
  });

  it("rule 42: empties a namespace that is deleted, and takes nothing new into it", async () => {
    const name = "ostler-rules-gone";
    const home = `/api/v1/namespaces/${name}`;
    await post("/api/v1/namespaces", { metadata: { name } });
    await until("the namespace has its account", async () => (await get(`${home}/serviceaccounts/default`))["kind"] === "ServiceAccount");
    await createPod(cluster, { name: "last", namespace: name, containers: [shell("main", "sleep 1000")] });
    expect(await api(cluster, "DELETE", home)).toMatchObject({ kind: "Namespace", status: { phase: "Terminating" } });
    expect(await post(`${home}/secrets`, { metadata: { name: "late" } })).toMatchObject({ code: 403, reason: "Forbidden" });
    await until("the namespace is gone", async () => numberAt(await get(home), "code") === 404, 60_000);
    expect(listAt(await get(`${home}/pods`), "items")).toEqual([]);
  });

  it("rule 44: deletes a secret once its pod is really gone, and at once if there is no such pod", async () => {
    const pod = await sleeper("owning", { terminationGracePeriodSeconds: 2 });
    await untilPhase(cluster, "owning", "Running");
    const owned = (name: string, uid: string) =>
      post(secrets, { metadata: { name, ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "owning", uid }] } });
    await owned("owned", textAt(pod, "metadata", "uid") ?? "");
    await owned("orphaned", "00000000-0000-0000-0000-000000000001");
    const isGone = async (name: string) => numberAt(await get(`${secrets}/${name}`), "code") === 404;
    await until("the orphan is gone", () => isGone("orphaned"));
    await api(cluster, "DELETE", `${pods}/owning`);
    expect(await isGone("owned")).toBe(false);
    await untilGone(cluster, "owning");
    await until("the owned secret is gone", () => isGone("owned"));
  });

  const execPath = (pod: string, ...command: string[]) => {
    const query = new URLSearchParams({ container: "main", stdout: "true", stderr: "true" });
    for (const word of command) query.append("command", word);
    return `${pods}/${pod}/exec?${query}`;
  };
  const exec = async (pod: string, script: string) => {
    const socket = await cluster.webSocket(execPath(pod, "sh", "-c", script), upgrade("v5.channel.k8s.io"));
    const code = await socket.closed;
    const on = (channel: number) =>
      Buffer.concat(socket.frames.filter(({ payload }) => payload[0] === channel).map(({ payload }) => payload.subarray(1)));
    return { code, frames: socket.frames, output: on(1), status: parseJson(on(3).toString()) };
  };

  it("rule 46: sends output in frames of at most 32 KiB, whole and in order", async () => {
    await sleeper("frames");
    await untilPhase(cluster, "frames", "Running");
    const { frames, output, code, status } = await exec("frames", "seq 1 200000");
    expect(Math.max(...frames.map(({ payload }) => payload.length))).toBeLessThanOrEqual(32 * 1024 + 1);
    expect(output.toString()).toBe(`${Array.from({ length: 200_000 }, (_, index) => index + 1).join("\n")}\n`);
    expect([code, textAt(status, "status")]).toEqual([1000, "Success"]);
  });

  it("rule 50: lets a command go on whose connection was cut, without its writes failing", async () => {
    await sleeper("cut");
    await untilPhase(cluster, "cut", "Running");
    const socket = await cluster.webSocket(
      execPath("cut", "sh", "-c", "n=0; while n=$((n+1)); do echo $n; echo $n > /tmp/n; sleep 0.02; done"),
      upgrade("v5.channel.k8s.io"),
    );
    await until("it has begun", () => socket.frames.length > 3);
    socket.cut();
    const count = async () => Number((await exec("cut", "cat /tmp/n")).output.toString());
    const seen = await count();
    await until("it goes on", async () => (await count()) > seen + 20);
  });

  it("rule 51: cuts sinceTime to whole seconds, and gives lines nine digits of time", async () => {
    await createPod(cluster, { name: "timed", containers: [shell("main", "echo a; sleep 1.1; echo b; sleep 1.1; echo c")] });
    await untilPhase(cluster, "timed", "Succeeded");
    const log = async (query: string) => (await cluster.request({ method: "GET", path: `${pods}/timed/log?${query}` })).text;
    const lines = (await log("timestamps=true")).trim().split("\n");
    expect(lines.every((line) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z [abc]$/.test(line))).toBe(true);
    const second = lines[1]?.split(" ")[0] ?? "";
    const wholeSecond = second.replace(/\.\d+Z$/, "Z");
    const kept = lines.filter((line) => line >= wholeSecond.replace("Z", ".")).map((line) => line.slice(-1));
    expect((await log(`sinceTime=${encodeURIComponent(second)}`)).trim().split("\n")).toEqual(kept);
  });

  it("rule 51: gives long lines back whole, under one time", async () => {
    await createPod(cluster, { name: "long-line", containers: [shell("main", "head -c 40000 /dev/zero | tr '\\0' x; echo")] });
    await untilPhase(cluster, "long-line", "Succeeded");
    const { text } = await cluster.request({ method: "GET", path: `${pods}/long-line/log?timestamps=true` });
    expect([text.length, text.split("\n").length]).toEqual([31 + 40_000 + 1, 2]);
  });

  it("rule 55: tells events of a good pod in order, one set per container", async () => {
    await createPod(cluster, { name: "eventful", containers: [shell("main", "true")] });
    await untilPhase(cluster, "eventful", "Succeeded");
    const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=involvedObject.name%3Deventful`;
    const reasons = async () =>
      [...listAt(await get(path), "items")]
        .sort((a, b) => version(objectAt(a)) - version(objectAt(b)))
        .map((event) => textAt(event, "reason"));
    await until("all of it is told", async () => (await reasons()).includes("Started"));
    expect(await reasons()).toEqual(["Scheduled", "Pulled", "Created", "Started"]);
  });
});

function upgrade(protocol: string): Readonly<Record<string, string>> {
  return { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": protocol };
}
