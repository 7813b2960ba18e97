import type { PodEnd } from "../pod-helper/main-command.ts";
import { containerTitle, helperContainer, mainContainer } from "./container-names.ts";
import { isPermanentImageFault } from "./image-fault.ts";
import type { ContainerStatus } from "./observed-pod.ts";

/** A registry that is away comes back, or another executor reaches it: longer than the server's first pauses (10, 20, 40 s). */
const imagePatienceMs = 120_000;
/** The container runtime tries again within seconds what it can do at all. */
const createPatienceMs = 60_000;

/** A fault of a container that keeps the pod from ever starting. */
export function faultOf(status: ContainerStatus): PodEnd | undefined {
  const { name, state, restartCount } = status;
  const title = containerTitle(name);
  const { waiting, terminated } = state ?? {};
  const ended = terminated ?? status.lastState?.terminated;
  if (name === helperContainer && terminated && terminated.exitCode !== 0) {
    return { reason: "setup", message: `${title} failed with exit code ${terminated.exitCode}: ${wordsOf(terminated)}` };
  }
  if (name !== helperContainer && name !== mainContainer && (restartCount ?? 0) > 0 && ended && status.started !== true) {
    return {
      reason: "setup",
      message: `${title} (${status.image}) was never ready: it ended with exit code ${ended.exitCode}: ${wordsOf(ended)}`,
    };
  }
  if (!waiting) return undefined;
  const message = `${title}: ${status.image}: ${wordsOf(waiting)}`;
  switch (waiting.reason) {
    case "InvalidImageName":
    case "ErrImageNeverPull":
      return { reason: name === helperContainer ? "setup" : "image_permanent", message };
    case "ErrImagePull":
    case "ImagePullBackOff":
      if (name === helperContainer || !isPermanentImageFault(waiting.message ?? "")) return undefined;
      return { reason: "image_permanent", message };
    case "CreateContainerConfigError":
      // A secret that is not there yet may come.
      return /not found/.test(waiting.message ?? "") ? undefined : { reason: "config", message };
    default:
      return undefined;
  }
}

/** A fault of a container that may pass by itself. */
export function doubtOf({ name, image, state }: ContainerStatus): (PodEnd & { readonly patienceMs: number }) | undefined {
  const { waiting } = state ?? {};
  if (!waiting) return undefined;
  const message = `${containerTitle(name)}: ${image}: ${wordsOf(waiting)}`;
  switch (waiting.reason) {
    case "ErrImagePull":
    case "ImagePullBackOff":
    case "RegistryUnavailable":
    case "ImageInspectError":
      return { reason: name === helperContainer ? "setup" : "image", message, patienceMs: imagePatienceMs };
    case "CreateContainerConfigError":
    case "CreateContainerError":
    case "RunContainerError":
    case "CrashLoopBackOff":
      return { reason: "setup", message, patienceMs: createPatienceMs };
    default:
      return undefined;
  }
}

function wordsOf({
  reason,
  message,
}: {
  readonly reason?: string | null | undefined;
  readonly message?: string | null | undefined;
}): string {
  return message || reason || "no reason was given";
}
