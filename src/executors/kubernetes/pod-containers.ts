import type { V1Container, V1Probe } from "@kubernetes/client-node";
import { type PodContainer, PodError, type PodSpec } from "../driver.ts";
import { mainCommand } from "../pod-helper/main-command.ts";
import { fillCommand } from "../pod-helper/pod-layout.ts";
import { helperContainer, mainContainer, serviceContainer } from "./container-names.ts";
import { secretEnvironment } from "./pod-secret.ts";
import { helperMounts, mainMounts, tmpfsMounts } from "./pod-volumes.ts";

/** Brings the static busybox. */
export function helperOf(spec: PodSpec, main: PodContainer, image: string): V1Container {
  return {
    name: helperContainer,
    image,
    command: fillCommand.map(escapeDollars),
    // As the main container's, so that a namespace that asks for them is content; the pod's sum does not grow by it.
    ...resourcesOf(main),
    volumeMounts: helperMounts(spec),
  };
}

export function mainOf(spec: PodSpec, main: PodContainer): V1Container {
  return {
    ...containerOf(main, 0),
    name: mainContainer,
    command: mainCommand(spec).map(escapeDollars),
    volumeMounts: mainMounts(main),
  };
}

/** A container beside the main one. */
export function serviceOf(spec: PodSpec, index: number, isNative: boolean): V1Container {
  const container = spec.containers[index];
  if (!container) throw new Error(`no container ${index}`);
  const { entrypoint, readiness } = container;
  const env = secretEnvironment(spec, index);
  return {
    ...containerOf(container, index),
    name: serviceContainer(index),
    ...(entrypoint && { command: entrypoint.map(escapeDollars) }),
    ...(env.length > 0 && { env }),
    volumeMounts: tmpfsMounts(container, index),
    ...(isNative && { restartPolicy: "Always" }),
    ...(readiness && { [isNative ? "startupProbe" : "readinessProbe"]: probeOf(readiness) }),
  };
}

function containerOf(container: PodContainer, index: number): Omit<V1Container, "name"> {
  const { image, privileged, user } = container;
  const securityContext = { ...(privileged && { privileged }), ...(user !== undefined && userOf(user, index)) };
  return { image, ...resourcesOf(container), ...(Object.keys(securityContext).length > 0 && { securityContext }) };
}

/**
 * Memory is requested and limited alike: what a task was promised, it has, and more would be taken from others.
 * Of the processor only the request is set: time that nobody else needs is not withheld.
 */
function resourcesOf({ cpuMillis, memoryBytes }: PodContainer): Pick<V1Container, "resources"> {
  const memory = memoryBytes === undefined ? {} : { memory: String(memoryBytes) };
  const cpu = cpuMillis === undefined ? {} : { cpu: `${cpuMillis}m` };
  if (memoryBytes === undefined && cpuMillis === undefined) return {};
  return { resources: { requests: { ...cpu, ...memory }, ...(memoryBytes !== undefined && { limits: memory }) } };
}

function userOf(user: string, index: number): { readonly runAsUser: number; readonly runAsGroup?: number } {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user);
  if (!match) {
    const which = index === 0 ? "the main container" : `service ${index}`;
    throw new PodError("config", `user ${user} of ${which}: Kubernetes takes users by number, as 1000 or 1000:1000`);
  }
  const [, uid, gid] = match;
  return { runAsUser: Number(uid), ...(gid !== undefined && { runAsGroup: Number(gid) }) };
}

/** Whole seconds are the least that Kubernetes knows. */
function probeOf({ command, intervalMs, timeoutMs }: NonNullable<PodContainer["readiness"]>): V1Probe {
  const periodSeconds = Math.max(1, Math.round(intervalMs / 1_000));
  return {
    exec: { command: command.map(escapeDollars) },
    periodSeconds,
    timeoutSeconds: Math.max(1, periodSeconds),
    failureThreshold: Math.max(1, Math.ceil(timeoutMs / 1_000 / periodSeconds)),
  };
}

/** Kubernetes replaces `$(NAME)` and makes `$$` one `$`: doubled, every one of them stays what it is. */
function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}
