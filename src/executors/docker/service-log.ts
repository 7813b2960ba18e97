import { setTimeout as delay } from "node:timers/promises";
import { type Engine, statusOf } from "./engine.ts";
import { readFrames } from "./frames.ts";

const retryMs = 500;

/** What a service's container has printed, from a byte on; goes on until it has ended, over dropped connections. */
export async function* followServiceLog(
  engine: Engine,
  name: string,
  { offset, signal }: { readonly offset: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const container = engine.getContainer(name);
  let position = offset;
  for (;;) {
    signal.throwIfAborted();
    try {
      // Asked first: what it prints until its end is in the log that is read then.
      const { State } = await container.inspect({ abortSignal: signal });
      const stream = await container.logs({ follow: true, stdout: true, stderr: true, abortSignal: signal });
      let skipped = 0;
      for await (const { bytes } of readFrames(stream)) {
        const rest = bytes.subarray(Math.min(bytes.length, position - skipped));
        skipped += bytes.length - rest.length;
        if (rest.length === 0) continue;
        position += rest.length;
        skipped += rest.length;
        yield rest;
      }
      if (!State.Running) return;
    } catch (error) {
      signal.throwIfAborted();
      if (statusOf(error) === 404) return;
    }
    await delay(retryMs, undefined, { signal });
  }
}
