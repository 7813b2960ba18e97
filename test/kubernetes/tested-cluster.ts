import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver } from "../../src/executors/driver.ts";
import { type Cluster, openCluster } from "../../src/executors/kubernetes/cluster.ts";
import { createKubernetesDriver, type KubernetesDriverOptions } from "../../src/executors/kubernetes/kubernetes-driver.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../support/kubernetes/simulator.ts";

const signal = new AbortController().signal;
const defaults = {
  helperImage: process.env["OSTLER_HELPER_IMAGE"] ?? "busybox:1.37-musl",
  helperOrder: "before",
  allowPrivileged: true,
  wishes: { nodeSelectors: [], tolerations: [], serviceAccounts: [] },
} as const;

/** A cluster for tests: a simulated one, unless `KUBECONFIG` names a real one. */
export interface TestedCluster {
  /** Undefined for a real cluster, whose faults cannot be planned. */
  readonly simulator: Simulator | undefined;
  /** The path of a file. */
  readonly kubeconfig: string;
  readonly createDriver: (options?: Partial<KubernetesDriverOptions>) => Driver;
  /** Removes what tests have left in the installations that they use. */
  readonly close: () => Promise<void>;
}

export async function openTestedCluster(options: SimulatorOptions = {}): Promise<TestedCluster> {
  const real = process.env["KUBECONFIG"];
  const folder = await mkdtemp(join(tmpdir(), "ostler-kubernetes-"));
  const simulator = real ? undefined : await startSimulator(options);
  const kubeconfig = real || join(folder, "kubeconfig");
  if (simulator) await writeFile(kubeconfig, simulator.kubeconfig);
  const drivers: Driver[] = [];
  const createDriver: TestedCluster["createDriver"] = (changes = {}) => {
    const driver = createKubernetesDriver({ ...defaults, kubeconfig, ...changes });
    drivers.push(driver);
    return driver;
  };
  return {
    simulator,
    kubeconfig,
    createDriver,
    close: async () => {
      if (!simulator) {
        const driver = createDriver();
        const pods = (await Promise.all(["i1", "i2"].map((installation) => driver.list(installation, signal)))).flat();
        await Promise.all(pods.map(({ id }) => driver.remove(id, 0, signal)));
      }
      for (const driver of drivers) await driver.close();
      await simulator?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A driver of a simulated cluster, for somebody who may do everything or for the one whose `kubeconfig` is given. */
export async function driverOf(simulator: Simulator, kubeconfig = simulator.kubeconfig): Promise<Driver> {
  const { file, remove } = await writeKubeconfig(kubeconfig);
  const driver = createKubernetesDriver({ ...defaults, kubeconfig: file });
  return {
    ...driver,
    close: async () => {
      await driver.close();
      await remove();
    },
  };
}

/** The driver's own connection to a simulated cluster. */
export async function clusterOf(simulator: Simulator): Promise<Cluster> {
  const { file, remove } = await writeKubeconfig(simulator.kubeconfig);
  const cluster = await openCluster({ kubeconfig: file });
  await remove();
  return cluster;
}

async function writeKubeconfig(text: string): Promise<{ readonly file: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "ostler-kubernetes-"));
  const file = join(folder, "kubeconfig");
  await writeFile(file, text);
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}
