import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PodSpec } from "../../src/executors/driver.ts";

export interface BenchCluster {
  readonly name: string;
  /** The path of a file. */
  readonly kubeconfig: string;
  /** Undefined for a real cluster. */
  readonly figures: () => Promise<{ readonly connections: number; readonly requests: number } | undefined>;
  readonly close: () => Promise<void>;
}

/** The cluster that `KUBECONFIG` names, else a simulated one in a process of its own, whose delays are divided by `speed`. */
export async function openBenchCluster(speed: number): Promise<BenchCluster> {
  const real = process.env["KUBECONFIG"];
  if (real) return { name: "the cluster of KUBECONFIG", kubeconfig: real, figures: async () => undefined, close: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "ostler-bench-"));
  const child = fork(new URL("./simulator-process.ts", import.meta.url), [String(speed)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const { kubeconfig } = await heard(child, "ready");
  await writeFile(join(folder, "kubeconfig"), String(kubeconfig));
  return {
    name: `a simulated cluster, ${speed} times as fast as a real one`,
    kubeconfig: join(folder, "kubeconfig"),
    figures: async () => {
      child.send("figures");
      const { connections, requests } = await heard(child, "figures");
      return { connections: Number(connections), requests: Number(requests) };
    },
    close: async () => {
      child.disconnect();
      await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function heard(child: ChildProcess, type: string): Promise<Readonly<Record<string, unknown>>> {
  for (;;) {
    const [message] = await once(child, "message");
    if (message.type === type) return message;
  }
}

const image = "busybox:1.37-musl";

export const driverOptions = {
  helperImage: image,
  helperOrder: process.env["OSTLER_KUBERNETES_HELPER"] === "beside" ? "beside" : "before",
  allowPrivileged: false,
  wishes: { nodeSelectors: [], tolerations: [], serviceAccounts: [] },
} as const;

export function benchPod(serial: number): PodSpec {
  const runId = "01m856e13m00002p7my5c07hdh";
  const now = Date.now();
  return {
    id: `${runId}-${serial}-1-b${process.pid}`,
    owner: { installation: "bench", executor: "e1", incarnation: "i", group: "g", runId, task: "t", attempt: 1 },
    arch: undefined,
    containers: [{ image, environment: {}, privileged: false, tmpfs: [] }],
    registries: {},
    deadlineAt: now + 3_600_000,
    startBy: now + 600_000,
    fenceMs: 600_000,
  };
}
