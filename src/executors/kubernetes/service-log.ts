import type { Api } from "./api.ts";
import { isStatus } from "./api-error.ts";
import { serviceContainer } from "./container-names.ts";
import { type LogPlace, linesAfter, type StampedLine, stampedLines } from "./log-lines.ts";
import type { ContainerStatus, ObservedPod } from "./observed-pod.ts";
import { createBackOff } from "./patience.ts";
import { endOf } from "./pod-end.ts";
import type { PodKey, PodWatch } from "./pod-watch.ts";

export interface ServiceLogOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly pods: PodWatch;
  readonly pod: PodKey;
}

/**
 * What a service prints, from a byte offset, until it has ended for good. A cut connection goes on from the time of the last line
 * (the server keeps only the newest 10 MiB or so, so bytes cannot be counted from the begin); only a first offset is counted.
 */
export async function* followServiceLog(
  { api, namespace, pods, pod }: ServiceLogOptions,
  { index, offset }: { readonly index: number; readonly offset: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const container = serviceContainer(index);
  const path = `/api/v1/namespaces/${namespace}/pods/${pod.name}/log`;
  const backOff = createBackOff();
  let place: LogPlace | undefined;
  let skip = offset;
  for (;;) {
    const before = await pods.when(pod, (seen) => phaseOf(seen, container), signal);
    if (before === "never") return;
    const since = place && { sinceTime: place.stamp.replace(/\.\d+/, "") };
    const query = { container, follow: "true", timestamps: "true", ...since };
    try {
      for await (const line of linesAfter(place, stampedLines(await api.stream({ method: "GET", path, query }, signal)))) {
        place = nextPlace(place, line);
        const bytes = line.bytes.subarray(Math.min(skip, line.bytes.length));
        skip -= line.bytes.length - bytes.length;
        if (bytes.length > 0) yield bytes;
        backOff.reset();
      }
      if (before === "ended") return;
    } catch (error) {
      signal.throwIfAborted();
      if (isStatus(error, 403, 404)) return;
    }
    await backOff.pause(signal);
  }
}

function nextPlace(place: LogPlace | undefined, { stamp }: StampedLine): LogPlace {
  return { stamp, count: place?.stamp === stamp ? place.count + 1 : 1 };
}

/** Undefined: it has not begun yet. `ended`: what it has printed is all that will ever come. */
function phaseOf(pod: ObservedPod | undefined, container: string): "begun" | "ended" | "never" | undefined {
  if (!pod) return "never";
  const status = find(pod.status?.containerStatuses, container);
  const sidecar = find(pod.status?.initContainerStatuses, container);
  const state = (status ?? sidecar)?.state;
  const isOver = endOf(pod) !== undefined;
  // A native sidecar is started again by the server, as long as the main container runs.
  if (state?.terminated) return status || isOver ? "ended" : "begun";
  if (state?.running) return "begun";
  return isOver ? "never" : undefined;
}

function find(statuses: readonly ContainerStatus[] | null | undefined, name: string): ContainerStatus | undefined {
  return statuses?.find((status) => status.name === name);
}
