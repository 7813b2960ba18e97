import { join } from "node:path";
import type { DriverKind } from "../config/executor-settings.ts";
import type { Config } from "../config.ts";
import { createDockerDriver } from "./docker/docker-driver.ts";
import type { Driver } from "./driver.ts";
import { createKubernetesDriver, kubernetesOptions } from "./kubernetes/kubernetes-driver.ts";
import { createMemoryDriver } from "./memory/memory-driver.ts";
import { createProcessDriver } from "./process/process-driver.ts";

export type DriverSettings = Pick<Config, "dataDir" | "hostEnvironment" | "executor">;

type Create = (settings: DriverSettings) => Driver;

/** Every driver by its name. To add one: a folder beside this file, and an entry here. */
const drivers: Readonly<Record<DriverKind | "memory", Create>> & Readonly<Record<string, Create>> = {
  process: ({ dataDir, hostEnvironment }) => createProcessDriver({ podsDir: join(dataDir, "pods"), hostEnvironment }),
  docker: ({ executor: { dockerHost, helperImage, allowPrivileged } }) =>
    createDockerDriver({ host: dockerHost, helperImage, allowPrivileged }),
  kubernetes: ({ executor }) => createKubernetesDriver(kubernetesOptions(executor)),
  memory: () => createMemoryDriver(),
};

export function createDriver(settings: DriverSettings): Driver {
  const create = drivers[settings.executor.driver];
  if (!create) throw new Error(`no driver ${settings.executor.driver}: there are ${Object.keys(drivers).join(", ")}`);
  return create(settings);
}
