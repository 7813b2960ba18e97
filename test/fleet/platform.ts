import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Driver, PodError } from "../../src/executors/driver.ts";

/** Files in an executor's platform folder with which a test plays what happens to its platform. */
export const platformFiles = { archs: "archs", away: "away", full: "full", blank: "blank" } as const;

/** The given driver on a platform that a test plays: its architectures may change, and it may be out of this executor's reach. */
export function playPlatform(driver: Driver, folder: string): Driver {
  const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => undefined);
  const reach = async () => {
    if ((await read(platformFiles.away)) !== undefined) throw new Error("the platform is out of reach");
  };
  return {
    ...driver,
    archs: async () => {
      await reach();
      const archs = await read(platformFiles.archs);
      return archs === undefined ? driver.archs() : archs.split(",").filter(Boolean);
    },
    start: async (pod, onProgress, signal) => {
      await reach().catch((cause: unknown) => {
        throw new PodError("setup", "the platform is out of reach", { cause });
      });
      if ((await read(platformFiles.full)) !== undefined) throw new PodError("setup", "the platform has no room");
      return driver.start({ ...pod, arch: undefined }, onProgress, signal);
    },
    list: async (installation, signal) => {
      await reach();
      return (await read(platformFiles.blank)) === undefined ? driver.list(installation, signal) : [];
    },
    remove: async (podId, graceMs, signal) => {
      await reach();
      return driver.remove(podId, graceMs, signal);
    },
  };
}
