import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver, PodContainer, PodHandle, PodSpec } from "../../src/executors/driver.ts";
import { driverContract, podSpec, stepSpec } from "../executors/driver-contract.ts";
import { events, pods, secrets } from "../support/kubernetes/resource.ts";
import { until } from "../support/until.ts";
import { openTestedCluster, type TestedCluster } from "./tested-cluster.ts";

const signal = new AbortController().signal;
const image = "busybox:1.37-musl";
const main: PodContainer = { image, environment: {}, privileged: false, tmpfs: [] };

driverContract({ name: "kubernetes", survivesItsProcess: true }, async () => {
  const cluster = await openTestedCluster();
  const create = () => withImage(cluster.createDriver());
  return { driver: create(), successor: create, close: cluster.close };
});

describe("the kubernetes driver", () => {
  let cluster: TestedCluster;
  let driver: Driver;
  beforeAll(async () => {
    cluster = await openTestedCluster();
    driver = cluster.createDriver({ wishes: { nodeSelectors: ["kubernetes.io/os"], tolerations: [], serviceAccounts: [] } });
  });
  afterAll(() => cluster.close());

  const start = (changes: Partial<PodSpec> = {}, onProgress: (line: string) => void = () => {}) =>
    driver.start(podSpec({ containers: [main], ...changes }), onProgress, signal);
  const run = async (pod: PodHandle, index: number, command: string, environment: Readonly<Record<string, string>> = {}) => {
    await pod.startStep({ ...stepSpec(index, command), environment }, signal);
    return { end: await pod.waitStep(index, signal), output: await read(pod.followOutput(index, 0, signal)) };
  };
  /** What is told while a pod waits that never starts; it is given up once `enough` was told. */
  const waiting = async (changes: Partial<PodSpec>, enough: RegExp): Promise<string> => {
    const given = new AbortController();
    const spec = podSpec({ containers: [main], ...changes });
    let told = "";
    const starting = driver.start(
      spec,
      (line) => {
        told += `${line}\n`;
        if (enough.test(told)) given.abort(new Error("enough"));
      },
      given.signal,
    );
    await expect(starting).rejects.toThrow("enough");
    await driver.remove(spec.id, 0, signal);
    return told;
  };

  it("refuses what is not allowed before it creates anything, and names the setting", async () => {
    const other = cluster.createDriver({ allowPrivileged: false });
    const privileged = podSpec({ containers: [{ ...main, privileged: true }] });
    await expect(other.start(privileged, () => {}, signal)).rejects.toMatchObject({
      reason: "config",
      message: expect.stringContaining("OSTLER_EXECUTOR_ALLOW_PRIVILEGED"),
    });
    const wishes = { nodeSelector: { size: "big" }, tolerations: [] };
    await expect(start({ wishes })).rejects.toMatchObject({ reason: "config", message: expect.stringContaining("NODE_SELECTORS") });
    await (await start({ wishes: { ...wishes, nodeSelector: { "kubernetes.io/os": "linux" } } }).then((pod) => pod.files)).read(
      "/etc/passwd",
      1,
      signal,
    );
  });

  it("says why an image does not come, while the server tries again", async () => {
    expect(await waiting({ containers: [{ ...main, image: "registry.invalid/none:1" }] }, /no such host/)).toContain(
      "registry.invalid/none:1",
    );
  });

  it("gives up at once an image whose name is none", async () => {
    await expect(start({ containers: [{ ...main, image: "docker.io/Not A Name" }] })).rejects.toMatchObject({ reason: "image_permanent" });
  });

  it("says what the scheduler says of an architecture that no node has, and of more memory than any has", async () => {
    const arch = (await driver.archs()).includes("arm64") ? "386" : "arm64";
    expect(await waiting({ arch }, /nodes are available/)).toContain("waiting for a node: ");
    expect(await waiting({ containers: [{ ...main, memoryBytes: 2 ** 50 }] }, /nodes are available/)).toContain("Insufficient memory");
  });

  it("tells the architecture that the pod runs on", async () => {
    expect(await driver.archs()).toContain((await start()).arch);
  });

  it("ends a step whose shell is missing as a fault of the task", async () => {
    const pod = await start();
    const step = { ...stepSpec(0, "true"), shell: ["/bin/no-such-shell"] };
    await expect(pod.startStep(step, signal)).rejects.toMatchObject({ reason: "config" });
  });

  it("takes a step for ended although it has left daemons, which go with the pod", async () => {
    const pod = await start();
    const { end, output } = await run(pod, 0, "setsid sleep 1000 & echo done");
    expect(end).toMatchObject({ exitCode: 0 });
    expect(output).toBe("done\n");
    await driver.remove(pod.id, 0, signal);
  });

  it("kills a step that ignores SIGTERM once its grace is over", async () => {
    const pod = await start();
    await pod.startStep(stepSpec(0, "trap '' TERM; echo up; while :; do sleep 0.1; done"), signal);
    await pod.stopStep(0, 300, signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 137 });
  });

  it("keeps the environment of steps out of every object", async () => {
    const pod = await start();
    const { output } = await run(pod, 0, 'echo "$TOKEN"', { TOKEN: "planted-in-a-step" });
    expect(output).toBe("planted-in-a-step\n");
    if (cluster.simulator) expect(objectsOf(cluster)).not.toContain("planted-in-a-step");
  });

  it("gives services the task's network, their environment and a log of their own", async () => {
    const service: PodContainer = {
      ...main,
      environment: { GREETING: "it's $HOME" },
      entrypoint: ["sh", "-c", 'echo "$GREETING"; echo $$ >/dev/null; touch /tmp/ready; exec sleep 1000'],
      readiness: { command: ["test", "-e", "/tmp/ready"], intervalMs: 1_000, timeoutMs: 30_000 },
    };
    const pod = await start({ containers: [main, service] });
    expect(await first(pod.followService(1, 0, signal))).toBe("it's $HOME\n");
    expect(await first(pod.followService(1, 5, signal))).toBe("$HOME\n");
    await driver.remove(pod.id, 0, signal);
    expect(await read(pod.followService(1, 0, signal))).toBe("");
  });

  it("runs tasks as well with the helper in a container beside them, which may end before them", async () => {
    const beside = cluster.createDriver({ helperOrder: "beside" });
    const service: PodContainer = { ...main, entrypoint: ["sh", "-c", "echo up; exec sleep 1000"] };
    const pod = await beside.start(podSpec({ containers: [main, service] }), () => {}, signal);
    expect(await run(pod, 0, "echo beside; exit 7")).toMatchObject({ end: { type: "exited", exitCode: 7 }, output: "beside\n" });
    expect(await first(pod.followService(1, 0, signal))).toBe("up\n");
    await beside.remove(pod.id, 0, signal);
  });

  it("does not start a task whose service ends before it is ready", async () => {
    const service: PodContainer = {
      ...main,
      entrypoint: ["sh", "-c", "exit 3"],
      readiness: { command: ["true"], intervalMs: 1_000, timeoutMs: 30_000 },
    };
    await expect(
      start({
        containers: [main, { ...service, readiness: { ...service.readiness, command: ["false"], intervalMs: 1_000, timeoutMs: 30_000 } }],
      }),
    ).rejects.toMatchObject({
      reason: "setup",
      message: expect.stringContaining("service 1"),
    });
  });

  it("attaches to nothing that is not there, and removes nothing that is not there", async () => {
    expect(await driver.attach("01m856e13m00002p7my5c07hdh-9-9-none", signal)).toBeUndefined();
    await driver.remove("01m856e13m00002p7my5c07hdh-9-9-none", 0, signal);
  });

  it("removes the pods of others, which it has never seen", async () => {
    const pod = await start();
    await cluster.createDriver().remove(pod.id, 0, signal);
    expect((await driver.list("i1", signal)).map(({ id }) => id)).not.toContain(pod.id);
    await until("the pod's own executor hears of it", async () => (await pod.waitStep(0, signal)).type === "gone");
  });
});

/** The suite's own image need not be one that a cluster can pull. */
function withImage(driver: Driver): Driver {
  const changed = (spec: PodSpec): PodSpec => ({ ...spec, containers: spec.containers.map((container) => ({ ...container, image })) });
  return { ...driver, start: (spec, onProgress, abort) => driver.start(changed(spec), onProgress, abort) };
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function first(stream: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const chunk of stream) return Buffer.from(chunk).toString();
  return "";
}

function objectsOf({ simulator }: TestedCluster): string {
  return JSON.stringify([pods, secrets, events].map((kind) => simulator?.store.list(kind)));
}
