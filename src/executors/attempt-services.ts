import type { PodHandle } from "./driver.ts";
import type { StepLog } from "./step-log.ts";

/** The name under which a service's log is stored beside those of steps; `index` is its position among the containers, from 1. */
export function serviceLogName(index: number): string {
  return `service-${index}`;
}

export interface AttemptServices {
  /** Stores what the services have printed so far; their pod may go on. With `leave`, all is left for another process to go on with. */
  readonly end: (how: "store" | "leave") => Promise<void>;
}

export interface AttemptServicesOptions {
  readonly pod: PodHandle;
  /** How many containers come after the first. */
  readonly count: number;
  readonly openLog: (name: string) => Promise<StepLog>;
}

/** Copies what the services of a pod print into their logs, beside the steps. A service never keeps an attempt from ending, nor makes it fail. */
export function followServices({ pod, count, openLog }: AttemptServicesOptions): AttemptServices {
  const over = new AbortController();
  const copies = Array.from({ length: count }, async (_, position) => {
    const index = position + 1;
    const log = await openLog(serviceLogName(index));
    const copied = copy(pod.followService(index, 0, over.signal), log, over.signal);
    return { log, copied };
  });
  for (const copy of copies) copy.catch(() => {});
  return {
    end: async (how) => {
      over.abort();
      for (const opened of await Promise.allSettled(copies)) {
        if (opened.status === "rejected") continue;
        const { log, copied } = opened.value;
        await copied;
        if (how === "leave") await log.abandon();
        else await log.finish();
      }
    },
  };
}

async function copy(output: AsyncIterable<Uint8Array>, log: StepLog, signal: AbortSignal): Promise<void> {
  try {
    for await (const bytes of output) await log.write(bytes);
  } catch (error) {
    if (!signal.aborted)
      await log.line(`the service's output could not be read any further: ${error instanceof Error ? error.message : error}`);
  }
}
