import { setTimeout as delay } from "node:timers/promises";
import { PodError } from "../driver.ts";
import { containerOf, type PodPlan, serviceOptions } from "./container-options.ts";
import { createContainer, startContainer } from "./create-container.ts";
import { type Engine, unless } from "./engine.ts";
import { readFrames } from "./frames.ts";
import type { Image } from "./images.ts";
import { containerName } from "./labels.ts";

const maxSaid = 1_000;
/** Checks that the daemon could not perform, until it is taken at its word. */
const maxFaults = 5;
const notChecked = { exitCode: null, said: "" };

export interface ServicesPlan {
  readonly plan: PodPlan;
  /** Of the containers after the first. */
  readonly images: readonly Image[];
}

interface Controls {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts the services side by side, and waits until all are ready. Those that are there already are taken as they are. */
export async function startServices(engine: Engine, { plan, images }: ServicesPlan, controls: Controls): Promise<void> {
  await Promise.all(
    images.map(async (image, position) => {
      const index = position + 1;
      const name = containerName(plan.spec.id, index);
      await createContainer(engine, name, serviceOptions(plan, index, image));
      await startContainer(engine, name, `service ${index} (${image.name})`);
      await waitReady(engine, { plan, index, image }, controls);
    }),
  );
}

interface Service {
  readonly plan: PodPlan;
  readonly index: number;
  readonly image: Image;
}

/** Asks until its command has succeeded in it. Without a command, a service is ready when it has started. */
async function waitReady(engine: Engine, { plan, index, image }: Service, { onProgress, signal }: Controls): Promise<void> {
  const { readiness } = containerOf(plan.spec, index);
  if (!readiness) return;
  const container = engine.getContainer(containerName(plan.spec.id, index));
  const what = `service ${index} (${image.name})`;
  const giveUpAt = performance.now() + readiness.timeoutMs;
  let said = "";
  let faults = 0;
  for (let first = true; ; first = false) {
    signal.throwIfAborted();
    const { State } = await container.inspect({ abortSignal: signal });
    if (!State.Running) throw new PodError("setup", `${what} ended with exit code ${State.ExitCode} before it was ready`);
    // Of a container that is just ending the daemon says so in several ways: the next look tells.
    const check = await runCheck(engine, container.id, { command: readiness.command, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      faults += 1;
      if (faults >= maxFaults) throw error;
      return notChecked;
    });
    if (check.exitCode === 0) return;
    if (first) onProgress(`waiting for ${what} to be ready`);
    said = check.said.trim();
    if (performance.now() >= giveUpAt) {
      const why = said === "" ? "" : `; its readiness command says: ${said}`;
      throw new PodError("setup", `${what} was not ready within ${readiness.timeoutMs / 1000} s${why}`);
    }
    await delay(readiness.intervalMs, undefined, { signal });
  }
}

async function runCheck(
  engine: Engine,
  containerId: string,
  { command, signal }: { readonly command: readonly string[]; readonly signal: AbortSignal },
): Promise<{ readonly exitCode: number | null; readonly said: string }> {
  const container = engine.getContainer(containerId);
  const exec = await unless([409], container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, abortSignal: signal }));
  if (!exec) return notChecked;
  const stream = await exec.start({ hijack: true, stdin: false, abortSignal: signal });
  let said = "";
  for await (const { bytes } of readFrames(stream)) said = (said + Buffer.from(bytes)).slice(-maxSaid);
  const { ExitCode } = await exec.inspect({ abortSignal: signal });
  return { exitCode: ExitCode, said };
}
