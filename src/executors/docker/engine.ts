import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type Dockerode from "dockerode";
import type { DockerOptions } from "dockerode";

/** The client of one Docker daemon. */
export type Engine = Dockerode;

/** Reached at `unix:///path/to/socket`, `tcp://host:port` or `https://host:port`. */
export async function connectEngine(host: string): Promise<{ readonly engine: Engine; readonly close: () => void }> {
  // A quarter of a second to import: only who drives Docker pays.
  const { default: Docker } = await import("dockerode");
  const url = new URL(host);
  const isTls = url.protocol === "https:" || url.port === "2376";
  // Connections are kept between calls; there are as many as calls that wait.
  const agent = new (isTls ? TlsAgent : Agent)({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const place =
    // Undefined, and not absent: what is absent is taken from DOCKER_HOST.
    url.protocol === "unix:"
      ? { socketPath: url.pathname, host: undefined }
      : { socketPath: undefined, host: url.hostname, port: url.port || "2375", protocol: isTls ? ("https" as const) : ("http" as const) };
  const options: DockerOptions & { readonly agent: Agent } = { ...place, agent };
  return { engine: new Docker(options), close: () => agent.destroy() };
}

/** The status with which the daemon refused a call; undefined if it did not answer at all. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" ? status : undefined;
}

/** The daemon's own words. */
export function messageOf(error: unknown): string {
  const json = error instanceof Error && "json" in error ? error.json : undefined;
  if (typeof json === "object" && json !== null && "message" in json && typeof json.message === "string") return json.message.trim();
  return error instanceof Error ? error.message.trim() : String(error);
}

/** The call's result; undefined if the daemon refused it with one of these statuses. */
export async function unless<T>(statuses: readonly number[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
