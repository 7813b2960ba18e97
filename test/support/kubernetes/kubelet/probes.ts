import { once } from "node:events";
import { connect } from "node:net";
import type { Probe } from "../pod-spec.ts";
import { type ContainerProcess, enterContainer, type ProcessPlan } from "./container-process.ts";
import { type Pacing, pause } from "./pacing.ts";

/** What probes tell the container. */
export interface Probed {
  readonly startupProbe: Probe | undefined;
  readonly readinessProbe: Probe | undefined;
  readonly livenessProbe: Probe | undefined;
  readonly context: Pick<ProcessPlan, "environment" | "user">;
  readonly onStarted: () => void;
  readonly onReady: (ready: boolean) => void;
  readonly onUnhealthy: (which: string) => void;
  readonly onDead: () => void;
}

/** Probes a container until the signal fires: the startup probe first, the others once it has passed. */
export async function runProbes(
  process: ContainerProcess,
  probed: Probed,
  { pacing, signal }: { readonly pacing: Pacing; readonly signal: AbortSignal },
): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = probed;
  const every = async (probe: Probe, tell: (passed: boolean) => "go on" | "done") => {
    await pause(((probe.initialDelaySeconds ?? 0) * 1000) / pacing.userSpeed, signal);
    while (!signal.aborted) {
      const passed = await passes(process, probe, probed.context);
      if (signal.aborted || tell(passed) === "done") return;
      await pause((probe.periodSeconds * 1000) / pacing.userSpeed, signal);
    }
  };
  /** Calls back with "dead" after as many failures in a row as the probe allows. */
  const counting = (probe: Probe, which: string, verdict: (alive: boolean) => "go on" | "done") => {
    let failures = 0;
    return every(probe, (passed) => {
      failures = passed ? 0 : failures + 1;
      if (!passed) probed.onUnhealthy(which);
      if (passed) return verdict(true);
      return failures >= probe.failureThreshold ? verdict(false) : "go on";
    });
  };

  if (startupProbe !== undefined) {
    await counting(startupProbe, "Startup", (alive) => {
      if (alive) probed.onStarted();
      else probed.onDead();
      return "done";
    });
  }
  await Promise.all([
    readinessProbe === undefined
      ? undefined
      : counting(readinessProbe, "Readiness", (ready) => {
          probed.onReady(ready);
          return "go on";
        }),
    livenessProbe === undefined
      ? undefined
      : counting(livenessProbe, "Liveness", (alive) => {
          if (!alive) probed.onDead();
          return alive ? "go on" : "done";
        }),
  ]);
}

async function passes(process: ContainerProcess, { exec, tcpSocket }: Probe, context: Probed["context"]): Promise<boolean> {
  if (exec !== undefined) {
    const { child, ended } = enterContainer(process.pid, { argv: exec.command ?? [], ...context });
    child.stdin?.end();
    child.stdout?.resume();
    child.stderr?.resume();
    return (await ended) === 0;
  }
  if (tcpSocket === undefined) return true;
  const socket = connect({ host: "127.0.0.1", port: Number(tcpSocket.port) });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
