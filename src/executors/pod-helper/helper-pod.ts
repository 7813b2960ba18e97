import type { PodHandle } from "../driver.ts";
import { createPodFiles } from "./pod-files.ts";
import { outputFile } from "./pod-layout.ts";
import { createPodSteps } from "./pod-steps.ts";
import { createPodTalk, type PodTalkOptions } from "./pod-talk.ts";
import { assign, scripts } from "./script.ts";

/**
 * What a platform gives of a pod whose main container runs `mainCommand`.
 *
 * - `watchEnd` resolves once the platform says that the main container or the pod is over (out of memory, evicted, node lost,
 *   removed, …), and rejects only when aborted; it is called while somebody waits for something in the pod.
 * - `users`: where the platform's exec can choose the user, whom steps run as if they name none, and who may signal everybody.
 *   Without it, commands run as the container's user, and the helper itself switches for steps that name another, as only root can.
 */
export interface HelperPodOptions
  extends PodTalkOptions,
    Pick<PodHandle, "id" | "createdAt" | "arch" | "os" | "remarks" | "followService"> {
  /** ms, this host's clock */
  readonly deadlineAt: number;
}

/** The handle of a pod: steps, files and lease, all by exec. */
export function createHelperPod(options: HelperPodOptions): PodHandle {
  const { id, createdAt, arch, os, remarks, followService, fenceMs, deadlineAt } = options;
  const talk = createPodTalk(options);
  return {
    id,
    createdAt,
    arch,
    os,
    remarks,
    followService,
    outputFile,
    ...createPodSteps(talk),
    files: createPodFiles(talk),
    touch: async (at, signal) => {
      const until = Math.ceil(Math.min(at + fenceMs, deadlineAt) / 1000);
      await talk.ask("supervisor", assign({ until }) + scripts.touch, signal);
    },
  };
}
