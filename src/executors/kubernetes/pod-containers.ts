import type { V1Container, V1Probe } from "@kubernetes/client-node";
import { type PodContainer, PodError, type PodSpec } from "../driver.ts";
import { mainCommand } from "../pod-helper/main-command.ts";
import { fillCommand } from "../pod-helper/pod-layout.ts";
import { helperContainer, mainContainer, serviceContainer } from "./container-names.ts";
import { secretEnvironment } from "./pod-secret.ts";
import { helperMounts, mainMounts, tmpfsMounts } from "./pod-volumes.ts";

/** Longer than any hook that copies a megabyte. */
const besideSeconds = 30;
const besideBytes = 16 * 1024 * 1024;

/** Brings the static busybox, and ends. Its limits are the main container's, for namespaces that ask for them: the pod's sum stays. */
export function helperBefore(spec: PodSpec, image: string): V1Container {
  return { ...helperOf(spec, image), ...resourcesOf(spec.containers[0] ?? {}), command: fillCommand.map(escapeDollars) };
}

/** Brings the static busybox by a hook, while its own process waits; it ends some time later, or when the pod does. */
export function helperBeside(spec: PodSpec, image: string): V1Container {
  const { cpuMillis, memoryBytes } = spec.containers[0] ?? {};
  const least = { ...(cpuMillis !== undefined && { cpuMillis: 1 }), ...(memoryBytes !== undefined && { memoryBytes: besideBytes }) };
  return {
    ...helperOf(spec, image),
    ...resourcesOf(least),
    command: ["/bin/busybox", "sh", "-c", `trap 'exit 0' TERM; /bin/busybox sleep ${besideSeconds} & wait`],
    lifecycle: { postStart: { exec: { command: fillCommand.map(escapeDollars) } } },
  };
}

function helperOf(spec: PodSpec, image: string): V1Container {
  return { name: helperContainer, image, volumeMounts: helperMounts(spec) };
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
function resourcesOf({ cpuMillis, memoryBytes }: Pick<PodContainer, "cpuMillis" | "memoryBytes">): Pick<V1Container, "resources"> {
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
