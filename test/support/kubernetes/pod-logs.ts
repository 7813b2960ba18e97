import type { ContainerLog, LogRequest } from "./kubelet/container-log.ts";
import type { Nodes } from "./nodes.ts";
import { type Chosen, findTask } from "./pod-access.ts";
import { badRequest, type Cause, forbiddenValue, internal, invalid, invalidValue } from "./status-error.ts";
import { isTrue } from "./watch.ts";

/** Options of a log request, and the bytes after which it is cut. */
export interface PodLogRequest {
  readonly request: LogRequest;
  readonly previous: boolean;
  readonly limitBytes: number | undefined;
}

/** Throws 400 and 422. */
export function parseLogRequest(query: URLSearchParams, podName: string): PodLogRequest {
  const number = (name: string) => (query.get(name) === null ? undefined : Number(query.get(name)));
  const tailLines = number("tailLines");
  const limitBytes = number("limitBytes");
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = parseTime(query.get("sinceTime"));
  const positive = (field: string, value: number | undefined): readonly Cause[] =>
    value !== undefined && value <= 0 ? [invalidValue(field, String(value), "must be greater than 0")] : [];
  const causes = [
    ...(tailLines !== undefined && tailLines < 0
      ? [invalidValue("tailLines", String(tailLines), "must be greater than or equal to 0")]
      : []),
    ...positive("limitBytes", limitBytes),
    ...(sinceSeconds !== undefined && sinceTime !== undefined
      ? [forbiddenValue("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified")]
      : positive("sinceSeconds", sinceSeconds)),
    ...(query.get("stream") === null ? [] : [forbiddenValue("stream", "may not be specified")]),
  ];
  if (causes.length > 0) throw invalid({ kind: "PodLogOptions" }, podName, causes);
  const since = sinceSeconds === undefined ? sinceTime : Date.now() / 1000 - sinceSeconds;
  return {
    request: {
      timestamps: isTrue(query.get("timestamps")),
      follow: isTrue(query.get("follow")),
      tailLines,
      sinceSeconds: since === undefined ? undefined : Math.floor(since),
    },
    previous: isTrue(query.get("previous")),
    limitBytes,
  };
}

function parseTime(text: string | null): number | undefined {
  if (text === null) return undefined;
  const at = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(at)) return at / 1000;
  throw badRequest(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`);
}

/** The log of a container, or "none" while the pod has no node. Throws 400 while it waits, 500 if the node does not answer. */
export function findLog(nodes: Nodes, chosen: Chosen, previous: boolean): ContainerLog | "none" {
  const { namespace, name } = chosen.pod.metadata;
  const { container } = chosen;
  if (chosen.node === undefined) return "none";
  const task = findTask(nodes, chosen);
  if (task === "away") {
    const url = `https://127.0.0.1:10250/containerLogs/${namespace}/${name}/${container}`;
    throw internal(`Get "${url}": dial tcp 127.0.0.1:10250: connect: connection refused`);
  }
  if (previous) {
    if (task?.previousLog !== undefined) return task.previousLog;
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  }
  if (task?.log !== undefined) return task.log;
  const state = task?.condition.state;
  const reason = state?.type === "waiting" ? state.reason : "ContainerCreating";
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waitingTexts[reason] ?? reason}`);
}

const waitingTexts: Readonly<Record<string, string>> = {
  ErrImagePull: "trying and failing to pull image",
  ImagePullBackOff: "image can't be pulled",
};

/** The bytes of a log up to a limit. */
export async function* limited(chunks: AsyncIterable<Buffer>, limitBytes: number | undefined): AsyncGenerator<Buffer> {
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const chunk of chunks) {
    if (left <= 0) return;
    const part = left === Number.POSITIVE_INFINITY ? chunk : chunk.subarray(0, left);
    left -= part.length;
    yield part;
  }
}
