import { createHash } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { chmod, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { type Driver, PodError, type PodSpec } from "../driver.ts";
import { hasCode } from "../file-errors.ts";
import { hostIdentity } from "../processes.ts";
import { condemn, createPodFolder, listPodFolders, type PodRecord, readPodRecord, removeDrafts, removingPath } from "./pod-folder.ts";
import { createPodHandle, type ProcessHost } from "./pod-handle.ts";
import { killPodProcesses } from "./survivors.ts";

const archs: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", arm: "arm", ia32: "386" };
const draftLifeMs = 10 * 60_000;

export interface ProcessDriverOptions {
  /** The pods' folder, shared by all executors of this host that clean up after one another. */
  readonly podsDir: string;
  /** `PATH`, `LANG`, `TZ`, `TMPDIR` of the server: all that steps see of it. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
}

/** Runs steps as processes of this host, each attempt in a folder of its own that is its home. There is no isolation. */
export function createProcessDriver(options: ProcessDriverOptions): Driver {
  const pods = resolve(options.podsDir);
  const host: ProcessHost = {
    environment: { PATH: "/usr/local/bin:/usr/bin:/bin", ...options.hostEnvironment },
    arch: archs[process.arch] ?? process.arch,
    setsid: findProgram("setsid", options.hostEnvironment.PATH),
    pods,
  };

  const handle = (record: PodRecord, remarks: readonly string[]) => createPodHandle(host, { path: join(pods, record.id), record }, remarks);

  const remove: Driver["remove"] = async (podId, graceMs, signal) => {
    const path = join(pods, podId);
    const condemned = removingPath(pods, podId);
    // Nothing of a pod outlives its folder, so most repeats cost next to nothing.
    if (!existsSync(path) && !existsSync(condemned)) return;
    if (graceMs > 0) await killPodProcesses(podId, path, { graceMs, spareSupervisors: true, signal });
    // Left by a removal that was interrupted.
    await removeFolder(condemned);
    await condemn(pods, podId);
    await killPodProcesses(podId, condemned, { graceMs: 0, spareSupervisors: false, signal });
    await removeFolder(condemned);
  };

  return {
    name: "process",
    warning: "the process driver runs tasks as processes of this host, without any isolation: run only what you trust",
    allowsPrivileged: false,
    groupId: async () => {
      const hash = createHash("sha256").update(`${hostIdentity()}\0${pods}`).digest("hex");
      return `${hostname().replace(/[^A-Za-z0-9._-]/g, "-")}-${hash.slice(0, 8)}`;
    },
    archs: async () => [host.arch],
    start: async (pod, _onProgress, signal) => {
      signal.throwIfAborted();
      refuse(pod);
      const { id, owner, deadlineAt, fenceMs } = pod;
      const record: PodRecord = { id, owner, deadlineAt, fenceMs, createdAt: Date.now() };
      const created = await createPodFolder(pods, record, Math.min(pod.startBy, deadlineAt));
      const found = created ? record : await readPodRecord(join(pods, id));
      if (!found) throw new PodError("pod_lost", "the pod was removed while it was started");
      return handle(found, created ? remarksOn(pod) : []);
    },
    attach: async (podId, signal) => {
      signal.throwIfAborted();
      const record = await readPodRecord(join(pods, podId));
      return record && handle(record, []);
    },
    list: async (installation, signal) => {
      signal.throwIfAborted();
      await removeDrafts(pods, Date.now() - draftLifeMs);
      const listing = await listPodFolders(pods);
      for (const podId of listing.broken) await remove(podId, 0, signal);
      return listing.pods.filter((pod) => pod.owner.installation === installation);
    },
    remove,
    close: async () => {},
  };
}

function refuse({ containers }: PodSpec): void {
  if (containers.some((container) => container.privileged)) {
    throw new PodError("config", "the process driver refuses privileged containers: it has no container to confine them to");
  }
  if (containers.length > 1) {
    throw new PodError(
      "config",
      "the process driver cannot run services (containers after the first): use the docker or kubernetes driver",
    );
  }
}

function remarksOn({ containers: [main] }: PodSpec): readonly string[] {
  return [
    `image ${main?.image} is ignored: the process driver runs steps as processes of the executor's host, as the executor's user, without limits`,
  ];
}

/** The first executable of that name in `path`; "" if there is none. */
function findProgram(name: string, path = ""): string {
  for (const folder of [...path.split(delimiter), "/usr/bin", "/bin"]) {
    const candidate = join(folder || ".", name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Look on.
    }
  }
  return "";
}

/** Also removes folders that a step has made read-only, as module caches are. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, "EACCES", "EPERM", "ENOTEMPTY")) throw error;
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function makeWritable(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(path, entry.name));
  }
}
