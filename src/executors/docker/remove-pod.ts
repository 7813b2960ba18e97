import { setTimeout as delay } from "node:timers/promises";
import { type Engine, unless } from "./engine.ts";
import { label } from "./labels.ts";

const lookAgainMs = 50;
const maxLookMs = 1_000;

/** Ends the pod's containers and removes them with their volumes, until a complete list shows none of them. */
export async function removePod(
  engine: Engine,
  podId: string,
  { graceMs, signal }: { readonly graceMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const filters = { label: [`${label.pod}=${podId}`] };
  for (let first = true, pauseMs = lookAgainMs; ; first = false, pauseMs = Math.min(pauseMs * 2, maxLookMs)) {
    const containers = await engine.listContainers({ all: true, filters, abortSignal: signal });
    if (containers.length === 0) return;
    await Promise.all(
      containers.map(async ({ Id, State }) => {
        const container = engine.getContainer(Id);
        if (first && graceMs > 0 && State === "running") {
          // Its first process passes the signal on to all others.
          await unless([304, 404], container.stop({ t: Math.ceil(graceMs / 1000), abortSignal: signal }));
        }
        // 409: somebody else is at it.
        await unless([404, 409], container.remove({ force: true, v: true }));
      }),
    );
    if (!first) await delay(pauseMs, undefined, { signal });
  }
}
