import { createHash } from "node:crypto";
import { type Driver, PodError, type PodHandle, type PodSpec } from "../driver.ts";
import { createHelperPod } from "../pod-helper/helper-pod.ts";
import { mainOptions, type PodPlan } from "./container-options.ts";
import { createContainer, startContainer } from "./create-container.ts";
import { type Daemon, openDaemon } from "./daemon.ts";
import { createDockerExec } from "./docker-exec.ts";
import { messageOf, unless } from "./engine.ts";
import { getImage, type Image } from "./images.ts";
import { containerName, factsOf, type PodFacts, readLabels } from "./labels.ts";
import { listPods } from "./list-pods.ts";
import { removePod } from "./remove-pod.ts";
import { followServiceLog } from "./service-log.ts";
import { startServices } from "./services.ts";
import { watchContainer } from "./watch-container.ts";

export interface DockerDriverOptions {
  /** `unix:///path/to/socket`, `tcp://host:port` */
  readonly host: string;
  /** An image with a static `/bin/busybox`. */
  readonly helperImage: string;
  readonly allowPrivileged: boolean;
}

/** Runs pods as containers of one Docker daemon, which other executors and installations may use, too. */
export function createDockerDriver(options: DockerDriverOptions): Driver {
  let opened: Promise<Daemon> | undefined;
  const daemon = (): Promise<Daemon> => {
    opened ??= openDaemon(options).catch((error: unknown) => {
      opened = undefined;
      throw new Error(`the Docker daemon at ${options.host} cannot be used: ${messageOf(error)}`, { cause: error });
    });
    return opened;
  };

  const handle = ({ engine, arch }: Daemon, facts: PodFacts): PodHandle =>
    createHelperPod({
      id: facts.id,
      createdAt: facts.createdAt,
      arch,
      os: "linux",
      remarks: [],
      deadlineAt: facts.deadlineAt,
      fenceMs: facts.fenceMs,
      users: { step: facts.user, supervisor: "0" },
      exec: createDockerExec(engine, containerName(facts.id, 0)),
      watchEnd: (signal) => watchContainer(engine, containerName(facts.id, 0), signal),
      followService: (index, offset, signal) => followServiceLog(engine, containerName(facts.id, index), { offset, signal }),
    });

  return {
    name: "docker",
    allowsPrivileged: true,
    groupId: async () => {
      const { name, id } = await daemon();
      const hash = createHash("sha256").update(id).digest("hex").slice(0, 8);
      return `docker-${name.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 40)}-${hash}`;
    },
    archs: async () => [(await daemon()).arch],
    start: async (pod, onProgress, signal) => {
      signal.throwIfAborted();
      refusePrivileged(pod, options.allowPrivileged);
      const host = await daemon();
      refuseTooLarge(pod, host);
      const arch = pod.arch ?? host.arch;
      const images = Promise.all(
        pod.containers.map(({ image }) => getImage(host.engine, { image, arch, registries: pod.registries }, { onProgress, signal })),
      );
      const [[image, ...serviceImages], helperVolume] = await Promise.all([images, host.helper.ready(onProgress, signal)]);
      if (!image) throw new PodError("config", "the task has no container");
      const facts = factsOf(pod, { createdAt: Date.now(), user: pod.containers[0]?.user ?? image.user });
      const plan: PodPlan = { spec: pod, facts, helperVolume };
      const started = await startMain(host, plan, image);
      await startServices(host.engine, { plan, images: serviceImages }, { onProgress, signal });
      return handle(host, started);
    },
    attach: async (podId, signal) => {
      signal.throwIfAborted();
      const host = await daemon();
      const found = await unless([404], host.engine.getContainer(containerName(podId, 0)).inspect({ abortSignal: signal }));
      // One that was created and never started has run nothing: it is as good as absent, and will be removed.
      if (!found || found.State.Status === "created") return undefined;
      return handle(host, readLabels(found.Config.Labels));
    },
    list: async (installation, signal) => listPods((await daemon()).engine, installation, signal),
    remove: async (podId, graceMs, signal) => removePod((await daemon()).engine, podId, { graceMs, signal }),
    close: async () => {
      const used = await opened?.catch(() => undefined);
      used?.close();
    },
  };
}

/** Creates and starts the main container, or takes the one that is there already. */
async function startMain({ engine, helper }: Daemon, plan: PodPlan, image: Image): Promise<PodFacts> {
  const name = containerName(plan.spec.id, 0);
  const isNew = await createContainer(engine, name, mainOptions(plan, image));
  await startContainer(engine, name, "the container").catch((error: unknown) => {
    // Somebody has removed the helper's volume, maybe.
    helper.forget();
    throw error;
  });
  // Whoever created it first has said when.
  return isNew ? plan.facts : readLabels((await engine.getContainer(name).inspect()).Config.Labels);
}

function refusePrivileged({ containers }: PodSpec, isAllowed: boolean): void {
  if (isAllowed || !containers.some((container) => container.privileged)) return;
  throw new PodError("config", "privileged containers are not allowed here (OSTLER_EXECUTOR_ALLOW_PRIVILEGED)");
}

/** The daemon would take any limit, and the container would be ended by the host's kernel instead of its own limit. */
function refuseTooLarge({ containers }: PodSpec, { memoryBytes }: Daemon): void {
  const asked = Math.max(0, ...containers.map((container) => container.memoryBytes ?? 0));
  if (asked <= memoryBytes) return;
  throw new PodError("config", `a container asks for ${asked} bytes of memory, and the Docker host has ${memoryBytes}`);
}
