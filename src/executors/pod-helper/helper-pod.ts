import type { PodHandle } from "../driver.ts";
import type { PodEnd } from "./main-command.ts";
import type { PodExec } from "./pod-exec.ts";

export interface HelperPodOptions extends Pick<PodHandle, "id" | "createdAt" | "arch" | "os" | "remarks" | "followService"> {
  readonly exec: PodExec;
  /**
   * Resolves once the platform says that the main container or the pod is over (out of memory, evicted, node lost, removed, …);
   * rejects only when aborted. Called once, when the helper first needs it, or again after an abort.
   */
  readonly watchEnd: (signal: AbortSignal) => Promise<PodEnd>;
  /**
   * Where the platform's exec can choose the user: whom steps run as if they name none, and who may signal everybody.
   * Without it, commands run as the container's user, and the helper itself switches for steps that name one, as only root can.
   */
  readonly users?: { readonly step: string; readonly supervisor: string };
  readonly fenceMs: number;
  /** ms, this host's clock */
  readonly deadlineAt: number;
}

/** The handle of a running pod whose main container runs `mainCommand`: steps, files and lease, all by exec. */
export function createHelperPod(_options: HelperPodOptions): PodHandle {
  throw new Error("not written yet");
}
