import { randomUUID } from "node:crypto";
import type { PodTalk } from "./pod-talk.ts";
import { assign, scripts } from "./script.ts";

export interface JobEnd {
  readonly exitCode: number;
  /** The first lines of what the work complained of. */
  readonly complaint: string;
}

export interface PodJob {
  readonly name: string;
  /** What the work prints, every byte once, however often the connection drops; returns how it ended. */
  readonly run: (work: string, signal: AbortSignal) => AsyncGenerator<Uint8Array, JobEnd>;
  /** Removes what is left of it. */
  readonly remove: (signal: AbortSignal) => Promise<void>;
}

/** Work in the pod that is done once: `run` takes a script that defines the function `_ostler_work`. */
export function createPodJob(talk: PodTalk): PodJob {
  const job = randomUUID();
  return {
    name: job,
    run: async function* (work, signal) {
      const patience = talk.patience();
      const hold = talk.hold(signal);
      let offset = 0;
      try {
        for (;;) {
          hold.throwIfOver();
          let said = "";
          try {
            const stream = await talk.open("step", assign({ job, offset }) + work + scripts.job, hold.signal);
            try {
              for await (const { channel, bytes } of stream.chunks) {
                patience.regain();
                if (channel === "stderr") said += Buffer.from(bytes);
                else {
                  offset += bytes.length;
                  yield bytes;
                }
                const end = parseEnd(said);
                if (end && offset >= end.bytes) return { exitCode: end.exitCode, complaint: said.slice(0, end.at).trim() };
              }
            } finally {
              stream.close();
            }
          } catch (error) {
            hold.signal.throwIfAborted();
            patience.lose(error);
          }
          await hold.pause(50);
        }
      } finally {
        hold.release();
      }
    },
    remove: async (signal) => {
      await talk.ask(
        "step",
        `${assign({ job })}"$_ostler_b" rm -rf "$_ostler_s/jobs/$_ostler_job" "$_ostler_s/jobs/$_ostler_job.parts"`,
        signal,
      );
    },
  };
}

function parseEnd(said: string): { readonly exitCode: number; readonly bytes: number; readonly at: number } | undefined {
  const found = /^over (\d+) (\d+)\n/m.exec(said);
  return found ? { exitCode: Number(found[1]), bytes: Number(found[2]), at: found.index } : undefined;
}
