import type { PodEntry } from "../driver.ts";
import type { Engine } from "./engine.ts";
import { label, readLabels } from "./labels.ts";

/** Every pod of the installation of which any container is there, running or not. */
export async function listPods(engine: Engine, installation: string, signal: AbortSignal): Promise<readonly PodEntry[]> {
  const filters = { label: [`${label.installation}=${installation}`, label.pod] };
  const containers = await engine.listContainers({ all: true, filters, abortSignal: signal });
  const pods = containers.map(({ Labels }) => readLabels(Labels));
  return [...new Map(pods.map(({ id, owner, createdAt }) => [id, { id, owner, createdAt }])).values()];
}
