import { createHash } from "node:crypto";
import { PodError } from "../driver.ts";
import { binFolder, fillCommand } from "../pod-helper/pod-layout.ts";
import { containerEnd } from "./container-end.ts";
import { type Engine, messageOf, unless } from "./engine.ts";
import { getImage } from "./images.ts";

export interface HelperVolume {
  /** The volume's name, once it is filled. Filled once in a process's life; concurrent callers share that. */
  readonly ready: (onProgress: (line: string) => void, signal: AbortSignal) => Promise<string>;
  /** It turned out not to be what it should be: somebody has removed it. */
  readonly forget: () => void;
}

/** The volume with the static busybox that is mounted into every pod; one for each helper image that a daemon's executors use. */
export function createHelperVolume(engine: Engine, helper: { readonly image: string; readonly arch: string }): HelperVolume {
  const name = `ostler-helper-${createHash("sha256").update(helper.image).digest("hex").slice(0, 12)}`;
  let filled: Promise<string> | undefined;

  const fill = async (onProgress: (line: string) => void, signal: AbortSignal) => {
    const request = { image: helper.image, arch: helper.arch, registries: {} };
    await getImage(engine, request, { onProgress, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new PodError("setup", `the helper of all pods (OSTLER_HELPER_IMAGE) is missing: ${messageOf(error)}`, { cause: error });
    });
    const container = await engine.createContainer({
      Image: helper.image,
      User: "0",
      Entrypoint: [...fillCommand],
      Cmd: [],
      NetworkDisabled: true,
      Labels: { "ostler.helper": helper.image },
      HostConfig: { Mounts: [{ Type: "volume", Source: name, Target: binFolder, VolumeOptions: volumeOptions(helper.image) }] },
    });
    try {
      await container.start();
      await containerEnd(engine, container.id);
      const { State } = await container.inspect();
      if (State.ExitCode !== 0) throw new PodError("setup", `the helper image ${helper.image} has no /bin/busybox that could be copied`);
    } finally {
      await unless([404, 409], container.remove({ force: true, v: true }));
    }
    return name;
  };

  return {
    ready: (onProgress, signal) => {
      filled ??= fill(onProgress, signal).catch((error: unknown) => {
        filled = undefined;
        throw error;
      });
      return filled;
    },
    forget: () => {
      filled = undefined;
    },
  };
}

function volumeOptions(image: string) {
  return { NoCopy: true, Labels: { "ostler.helper": image }, DriverConfig: { Name: "local", Options: {} } };
}
