import type { Container } from "../pod-spec.ts";
import type { ContainerHome } from "./container-home.ts";
import { type Environment, environmentOf } from "./environment.ts";
import { findImage, type ImageKind } from "./images.ts";
import { firstBackOffMs, longestBackOffMs, pause, resyncMs } from "./pacing.ts";

/** The container that waits, and how it tells. */
export interface Waits {
  readonly container: Container;
  readonly user: { readonly uid: number } | undefined;
  readonly wait: (reason: string, message: string) => void;
  readonly record: (type: "Normal" | "Warning", reason: string, message: string) => void;
}

/** Waits for the image as long as it takes; looks once even if it is to stop. Undefined if it was stopped. */
export async function untilImage(home: ContainerHome, waits: Waits, stopping: AbortSignal): Promise<ImageKind | undefined> {
  const { pacing, rules } = home;
  const { image, imagePullPolicy } = waits.container;
  for (let attempt = 0; attempt === 0 || !stopping.aborted; attempt += 1) {
    const answer = findImage(image, imagePullPolicy, { rules, credentials: home.credentials() });
    if (answer.type === "present") {
      waits.record("Normal", "Pulled", `Container image "${image}" already present on machine`);
      return answer.kind;
    }
    waits.wait(answer.reason, answer.message);
    recordImageFailure(waits, answer.reason, answer.message);
    await pause(resyncMs / pacing.speed, stopping);
    if (answer.reason !== "ErrImagePull" || stopping.aborted) continue;
    waits.wait("ImagePullBackOff", `Back-off pulling image "${image}": ErrImagePull: ${answer.message}`);
    await pause(Math.min(longestBackOffMs, firstBackOffMs * 2 ** attempt) / pacing.speed, stopping);
  }
  return undefined;
}

function recordImageFailure({ container, record }: Waits, reason: string, message: string): void {
  if (reason === "ErrImagePull") {
    record("Normal", "Pulling", `Pulling image "${container.image}"`);
    record("Warning", "Failed", `Failed to pull image "${container.image}": ${message}`);
  } else {
    record("Warning", reason === "InvalidImageName" ? "InspectFailed" : reason, message);
  }
  record("Warning", "Failed", `Error: ${reason}`);
}

/** Waits until everything that its environment refers to is there. Undefined if it was stopped. */
export async function untilConfigured(home: ContainerHome, waits: Waits, stopping: AbortSignal): Promise<Environment | undefined> {
  const { container, user } = waits;
  do {
    const environment = environmentOf(home.store, home.pod, container);
    const nonRoot = container.securityContext.runAsNonRoot ?? home.spec.securityContext.runAsNonRoot;
    const asRoot = nonRoot === true && (user === undefined || user.uid === 0);
    if (typeof environment !== "string" && !asRoot) return environment;
    const message = typeof environment === "string" ? environment : rootMessage(home, container);
    waits.wait("CreateContainerConfigError", message);
    waits.record("Warning", "Failed", `Error: ${message}`);
    await pause(resyncMs / home.pacing.speed, stopping);
  } while (!stopping.aborted);
  return undefined;
}

function rootMessage({ pod }: ContainerHome, container: Container): string {
  const { name, namespace, uid } = pod.metadata;
  return `container has runAsNonRoot and image will run as root (pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
}
