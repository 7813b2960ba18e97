import type { JsonObject } from "./json.ts";
import { timestamp } from "./kube-object.ts";
import { type Container, isSidecar, type PodSpec } from "./pod-spec.ts";

/** How a container has ended. */
export type Terminated = {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
};

export type ContainerState =
  | { readonly type: "waiting"; readonly reason: string; readonly message?: string }
  | { readonly type: "running"; readonly startedAt: number }
  | ({ readonly type: "terminated" } & Terminated);

/** What the node agent knows of one container. */
export interface ContainerCondition {
  readonly container: Container;
  readonly state: ContainerState;
  readonly last: Terminated | undefined;
  readonly restartCount: number;
  /** Absent until it has been made. */
  readonly id: string | undefined;
  readonly started: boolean;
  readonly ready: boolean;
}

/** What the node agent knows of a pod; the status that the API shows follows from it. */
export interface PodCondition {
  readonly spec: PodSpec;
  readonly init: readonly ContainerCondition[];
  readonly main: readonly ContainerCondition[];
  readonly sandboxReady: boolean;
  readonly startTime: number;
  readonly podIp: string | undefined;
  readonly hostIp: string;
  /** All of it has ended and is cleaned up: only then a final phase is told. */
  readonly settled: boolean;
  /** The phase that was told last. */
  readonly toldPhase: string;
  /** Why the node agent has ended it: DeadlineExceeded, Evicted. */
  readonly verdict: { readonly reason: string; readonly message: string } | undefined;
  /** It was never more than waiting when it was deleted. */
  readonly neverRan: boolean;
  readonly qosClass: string;
  /** Conditions that are none of the node agent's business. */
  readonly foreignConditions: readonly JsonObject[];
  readonly scheduledAt: string;
}

/** The phase that the states of its containers add up to. */
export function phaseOf(pod: PodCondition): string {
  if (pod.verdict !== undefined || pod.neverRan) return "Failed";
  const { restartPolicy } = pod.spec;
  const failedInit = pod.init.some(({ container, state }) => !isSidecar(container) && state.type === "terminated" && state.exitCode !== 0);
  if (failedInit && restartPolicy === "Never") return "Failed";
  if (!isInitialized(pod) && !pod.main.some(({ state }) => state.type !== "waiting")) return "Pending";
  if (pod.main.some(({ state, restartCount }) => state.type === "waiting" && restartCount === 0)) return "Pending";
  if (pod.main.some(({ state }) => state.type === "running")) return "Running";
  if (pod.init.some(({ container, state }) => isSidecar(container) && state.type === "running")) return "Running";
  if (pod.settled || restartPolicy !== "Always") {
    const succeeded = pod.main.every(({ state }) => state.type === "terminated" && state.exitCode === 0);
    if (succeeded) return "Succeeded";
    return pod.settled || restartPolicy === "Never" ? "Failed" : "Running";
  }
  return "Running";
}

/** The phase that the API shows: a final one only after everything is cleaned up. */
export function toldPhaseOf(pod: PodCondition): string {
  const phase = phaseOf(pod);
  const final = phase === "Succeeded" || phase === "Failed";
  return final && !pod.settled ? pod.toldPhase : phase;
}

function isInitialized(pod: PodCondition): boolean {
  return pod.init.every((one) => isInitDone(one));
}

function isInitDone({ container, state, started }: ContainerCondition): boolean {
  return isSidecar(container) ? started || state.type === "terminated" : state.type === "terminated" && state.exitCode === 0;
}

/** The status object of the API. `previous` keeps the transition times of conditions that have not changed. */
export function renderStatus(pod: PodCondition, previous: readonly JsonObject[], now: number): JsonObject {
  const conditions = conditionsOf(pod).map((condition) => {
    const before = previous.find((other) => other["type"] === condition["type"] && other["status"] === condition["status"]);
    return { lastTransitionTime: before?.["lastTransitionTime"] ?? timestamp(now), ...condition };
  });
  const ips = (ip: string) => [{ ip }];
  return {
    phase: toldPhaseOf(pod),
    conditions: [...pod.foreignConditions, ...conditions],
    ...(pod.verdict !== undefined && pod.settled ? pod.verdict : {}),
    hostIP: pod.hostIp,
    hostIPs: ips(pod.hostIp),
    ...(pod.podIp === undefined ? {} : { podIP: pod.podIp, podIPs: ips(pod.podIp) }),
    startTime: timestamp(pod.startTime),
    ...(pod.init.length === 0 ? {} : { initContainerStatuses: pod.init.map((one) => containerStatus(one)) }),
    containerStatuses: [...pod.main].sort((a, b) => (a.container.name < b.container.name ? -1 : 1)).map((one) => containerStatus(one)),
    qosClass: pod.qosClass,
  };
}

function conditionsOf(pod: PodCondition): readonly JsonObject[] {
  const phase = pod.neverRan ? "Pending" : phaseOf(pod);
  const completed = phase === "Succeeded" ? { reason: "PodCompleted" } : {};
  const incomplete = pod.init.filter((one) => !isInitDone(one)).map(({ container }) => container.name);
  const watched = [...pod.init.filter(({ container }) => isSidecar(container)), ...pod.main];
  const unready = watched.filter(({ ready }) => !ready).map(({ container }) => container.name);
  const readiness = readinessOf(phase, unready);
  return [
    condition("PodReadyToStartContainers", pod.sandboxReady),
    incomplete.length === 0
      ? { ...condition("Initialized", true), ...completed }
      : {
          ...condition("Initialized", false),
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: [${incomplete.join(" ")}]`,
        },
    { ...condition("Ready", readiness === undefined), ...readiness },
    { ...condition("ContainersReady", readiness === undefined), ...readiness },
    { ...condition("PodScheduled", true), lastTransitionTime: pod.scheduledAt },
  ];
}

function readinessOf(phase: string, unready: readonly string[]): JsonObject | undefined {
  if (phase === "Succeeded") return { reason: "PodCompleted" };
  if (phase === "Failed") return { reason: "PodFailed" };
  if (unready.length === 0) return undefined;
  return { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` };
}

function condition(type: string, holds: boolean): JsonObject {
  return { type, status: holds ? "True" : "False", lastProbeTime: null };
}

const imageId = "sha256:767b1371572f0227a9b589d4db5f0a2158e7d60c729d903e58c1cfc2485edb1e";

function containerStatus({ container, state, last, restartCount, id, ready, started }: ContainerCondition): JsonObject {
  const containerID = id === undefined ? {} : { containerID: `containerd://${id}` };
  return {
    name: container.name,
    state: stateOf(state, containerID),
    lastState: last === undefined ? {} : { terminated: terminatedOf(last, containerID) },
    ready,
    restartCount,
    image: container.image,
    imageID: id === undefined ? "" : imageId,
    ...containerID,
    started,
    ...(container.volumeMounts.length === 0 ? {} : { volumeMounts: container.volumeMounts.map(mountStatus) }),
  };
}

function mountStatus({ name, mountPath, readOnly }: Container["volumeMounts"][number]): JsonObject {
  return { name, mountPath, ...(readOnly === true ? { readOnly, recursiveReadOnly: "Disabled" } : {}) };
}

function stateOf(state: ContainerState, containerID: JsonObject): JsonObject {
  switch (state.type) {
    case "waiting":
      return { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } };
    case "running":
      return { running: { startedAt: timestamp(state.startedAt) } };
    case "terminated":
      return { terminated: terminatedOf(state, containerID) };
  }
}

function terminatedOf({ exitCode, reason, message, startedAt, finishedAt }: Terminated, containerID: JsonObject): JsonObject {
  return {
    exitCode,
    reason,
    ...(message === undefined ? {} : { message }),
    startedAt: startedAt === null ? null : timestamp(startedAt),
    finishedAt: finishedAt === null ? null : timestamp(finishedAt),
    ...containerID,
  };
}
