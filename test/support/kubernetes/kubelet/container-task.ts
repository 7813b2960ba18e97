import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, isSidecar } from "../pod-spec.ts";
import type { ContainerCondition, ContainerState, Terminated } from "../pod-status.ts";
import type { ContainerHome } from "./container-home.ts";
import { ContainerLog } from "./container-log.ts";
import { type ContainerProcess, enterContainer, startProcess } from "./container-process.ts";
import { findCommand, planRoot } from "./container-root.ts";
import { untilConfigured, untilImage, type Waits } from "./container-waits.ts";
import { type Environment, expand } from "./environment.ts";
import { firstBackOffMs, longestBackOffMs, pause, roundMs } from "./pacing.ts";
import { runProbes } from "./probes.ts";
import { mountsOf } from "./volumes.ts";

/** One container of a pod through all its restarts. */
export class ContainerTask {
  readonly container: Container;
  readonly #home: ContainerHome;
  #state: ContainerState;
  #last: Terminated | undefined;
  #restartCount = 0;
  #id: string | undefined;
  #started = false;
  #ready = false;
  #outOfMemory = false;
  process: ContainerProcess | undefined;
  /** It is being made: the next look at the pod waits for it. */
  making: Promise<unknown> = Promise.resolve();
  environment: Environment = {};
  log: ContainerLog | undefined;
  previousLog: ContainerLog | undefined;

  constructor(home: ContainerHome, container: Container, waitingFor: string) {
    this.#home = home;
    this.container = container;
    this.#state = { type: "waiting", reason: waitingFor };
  }

  get condition(): ContainerCondition {
    const { container } = this;
    return {
      container,
      state: this.#state,
      last: this.#last,
      restartCount: this.#restartCount,
      id: this.#id,
      started: this.#started,
      ready: this.#ready,
    };
  }

  get user() {
    const own = this.container.securityContext;
    const ofPod = this.#home.spec.securityContext;
    const uid = own.runAsUser ?? ofPod.runAsUser;
    return uid === undefined ? undefined : { uid, gid: own.runAsGroup ?? ofPod.runAsGroup ?? 0 };
  }

  /** Runs until it has ended for good, which for a sidecar is when it is stopped. */
  async run(stopping: AbortSignal): Promise<void> {
    const { pacing } = this.#home;
    for (let ends = 1; ; ends += 1) {
      const image = await untilImage(this.#home, this.#waits(), stopping);
      const environment = image === undefined ? undefined : await untilConfigured(this.#home, this.#waits(), stopping);
      if (image === undefined || environment === undefined) return;
      await this.#runOnce(image, environment);
      if (stopping.aborted || !this.#restarts()) return;
      if (ends === 1) await pause(roundMs / pacing.speed, stopping);
      else await this.#backOff(Math.min(longestBackOffMs, firstBackOffMs * 2 ** (ends - 2)), stopping);
      if (stopping.aborted) return;
      if (this.#state.type === "terminated") this.#last = this.#state;
      this.#restartCount += 1;
    }
  }

  /** TERM, and KILL after the grace; ends when nothing of it is left. */
  async stop(graceMs: number): Promise<void> {
    const { process } = this;
    if (process === undefined) return;
    this.#record("Normal", "Killing", `Stopping container ${this.container.name}`);
    if (graceMs > 0) process.signal("SIGTERM");
    const timer = setTimeout(() => process.signal("SIGKILL"), graceMs);
    await process.ended;
    clearTimeout(timer);
  }

  /** Its memory limit was exceeded: that is its reason when it ends. */
  markOutOfMemory(): void {
    this.#outOfMemory = true;
  }

  get hook(): readonly string[] | undefined {
    return this.container.lifecycle?.postStart?.exec?.command;
  }

  /** Runs what is to follow its start, to the end; nothing if it has ended already. */
  async runHook(): Promise<void> {
    if (this.hook === undefined || this.process === undefined) return;
    const { child, ended } = enterContainer(this.process.pid, { argv: this.hook, environment: this.environment, user: this.user });
    child.stdin?.end();
    child.stdout?.resume();
    child.stderr?.resume();
    await ended;
  }

  wait(reason: string): void {
    this.#set({ type: "waiting", reason });
  }

  /** It was never made, and its pod goes. */
  lose(): void {
    const message = "The container could not be located when the pod was terminated";
    this.#set({ type: "terminated", exitCode: 137, reason: "ContainerStatusUnknown", message, startedAt: null, finishedAt: null });
  }

  setReady(ready: boolean): void {
    if (this.#ready === ready) return;
    this.#ready = ready;
    this.#home.changed();
  }

  #waits(): Waits {
    return {
      container: this.container,
      user: this.user,
      wait: (reason, message) => this.#set({ type: "waiting", reason, message }),
      record: (type, reason, message) => this.#record(type, reason, message),
    };
  }

  async #runOnce(kind: "shell" | "bare", environment: Environment): Promise<void> {
    const { imagesFolder, podFolder } = this.#home;
    const { container } = this;
    const id = randomBytes(32).toString("hex");
    const root = join(podFolder, "containers", id);
    const { folders, mounts } = planRoot(
      root,
      { folder: imagesFolder, kind },
      mountsOf(container, this.#home.spec, join(podFolder, "volumes")),
    );
    const argv = [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, environment));
    const command = argv.length > 0 ? argv : kind === "bare" ? ["/pause"] : ["sh"];
    const found = findCommand(command[0] ?? "", { path: environment["PATH"] ?? "", root, mounts });
    this.previousLog = this.log;
    const log = new ContainerLog();
    this.log = log;
    this.#id = id;
    this.#outOfMemory = false;
    this.environment = environment;
    this.#record("Normal", "Created", `Created container: ${container.name}`);
    if (found.type === "missing") return this.#startFailed(found.why);

    const messageFile = join(podFolder, `message-${id.slice(0, 12)}`);
    const making = startProcess({
      root,
      folders,
      mounts,
      argv: command,
      environment,
      workingDir: container.workingDir ?? "/",
      user: this.user,
      readOnly: container.securityContext.readOnlyRootFilesystem === true,
      messageFile,
      messagePath: container.terminationMessagePath,
      onOutput: (stream, bytes) => log.append(stream, bytes),
    });
    this.making = making;
    const started = await making.catch((error: Error) => error.message);
    if (typeof started === "string") this.#startFailed(started);
    else await this.#follow(started, messageFile);
  }

  async #follow(started: ContainerProcess, messageFile: string): Promise<void> {
    const { log, container } = this;
    const startedAt = Date.now();
    this.process = started;
    this.#started = container.startupProbe === undefined;
    this.#ready = this.#started && container.readinessProbe === undefined && (isSidecar(container) || !this.#isInit());
    this.#record("Normal", "Started", `Started container ${container.name}`);
    this.#set({ type: "running", startedAt });
    const probing = new AbortController();
    const probes = this.#probe(started, probing.signal);
    const exitCode = await started.ended;
    probing.abort();
    await probes;
    log?.end();
    this.process = undefined;
    this.#started = false;
    this.#ready = this.#isInit() && !isSidecar(container) && exitCode === 0;
    const message = this.#messageOf(messageFile, exitCode);
    const reason = this.#outOfMemory ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error";
    this.#set({ type: "terminated", exitCode, reason, ...(message === "" ? {} : { message }), startedAt, finishedAt: Date.now() });
  }

  #probe(started: ContainerProcess, signal: AbortSignal): Promise<void> {
    const { startupProbe, readinessProbe, livenessProbe } = this.container;
    const { pacing, spec } = this.#home;
    const probed = {
      startupProbe,
      readinessProbe,
      livenessProbe,
      context: { environment: this.environment, user: this.user },
      onStarted: () => {
        this.#started = true;
        this.setReady(readinessProbe === undefined);
        this.#home.changed();
      },
      onReady: (ready: boolean) => this.setReady(ready),
      onUnhealthy: (which: string) => this.#record("Warning", "Unhealthy", `${which} probe failed: `),
      onDead: () => void this.stop((spec.terminationGracePeriodSeconds * 1000) / pacing.userSpeed),
    };
    return runProbes(started, probed, { pacing, signal });
  }

  #messageOf(file: string, exitCode: number): string {
    const written = readFileSync(file, "utf8").slice(0, 4096);
    const fallback = written === "" && exitCode !== 0 && this.container.terminationMessagePolicy === "FallbackToLogsOnError";
    return fallback ? (this.log?.tail(2048) ?? "") : written;
  }

  #startFailed(why: string): void {
    const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${why}: unknown`;
    this.#record("Warning", "Failed", `Error: ${message}`);
    this.log?.end();
    this.#set({ type: "terminated", exitCode: 128, reason: "StartError", message, startedAt: 0, finishedAt: Date.now() });
  }

  #isInit(): boolean {
    return this.#home.spec.initContainers.includes(this.container);
  }

  #restarts(): boolean {
    const policy = isSidecar(this.container) ? "Always" : this.#home.spec.restartPolicy;
    const failed = this.#state.type === "terminated" && this.#state.exitCode !== 0;
    if (policy === "Always") return isSidecar(this.container) || !this.#isInit() || failed;
    return policy === "OnFailure" && failed;
  }

  /** The next look at the pod finds it still too early. */
  async #backOff(ms: number, stopping: AbortSignal): Promise<void> {
    const { pacing, pod } = this.#home;
    const ended = this.#state;
    await pause(ms / 2 / pacing.speed, stopping);
    if (stopping.aborted || ended.type !== "terminated") return;
    this.#last = ended;
    const { name, namespace, uid } = pod.metadata;
    const text = `restarting failed container=${this.container.name} pod=${name}_${namespace}(${uid})`;
    this.#set({ type: "waiting", reason: "CrashLoopBackOff", message: `back-off ${durationText(ms)} ${text}` });
    this.#record("Warning", "BackOff", `Back-off restarting failed container ${this.container.name} in pod ${name}_${namespace}(${uid})`);
    await pause(ms / 2 / pacing.speed, stopping);
    if (stopping.aborted) this.#set(ended);
  }

  #record(type: "Normal" | "Warning", reason: string, message: string): void {
    const list = this.#isInit() ? "initContainers" : "containers";
    const fieldPath = `spec.${list}{${this.container.name}}`;
    this.#home.recorder.record({ object: this.#home.pod, type, reason, message, fieldPath });
  }

  #set(state: ContainerState): void {
    this.#state = state;
    this.#home.changed();
  }
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
