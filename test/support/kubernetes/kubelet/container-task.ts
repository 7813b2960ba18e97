import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "../kube-object.ts";
import type { ObjectStore } from "../object-store.ts";
import { type Container, isSidecar, type PodSpec } from "../pod-spec.ts";
import type { ContainerCondition, ContainerState, Terminated } from "../pod-status.ts";
import type { Recorder } from "../recorder.ts";
import { ContainerLog } from "./container-log.ts";
import { type ContainerProcess, startProcess } from "./container-process.ts";
import { findCommand, planRoot } from "./container-root.ts";
import { type Environment, environmentOf, expand } from "./environment.ts";
import { type Credentials, findImage, type ImageRule } from "./images.ts";
import { firstBackOffMs, longestBackOffMs, type Pacing, pause, resyncMs, roundMs } from "./pacing.ts";
import { runProbes } from "./probes.ts";
import { mountsOf } from "./volumes.ts";

/** What a container needs to know of its pod and of its node. */
export interface ContainerHome {
  readonly pod: KubeObject;
  readonly spec: PodSpec;
  readonly store: ObjectStore;
  readonly recorder: Recorder;
  readonly pacing: Pacing;
  readonly imagesFolder: string;
  readonly podFolder: string;
  readonly rules: Readonly<Record<string, ImageRule>>;
  readonly credentials: () => Credentials;
  /** Something has changed that the status shows. */
  readonly changed: () => void;
}

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
      const image = await this.#untilImage(stopping);
      const environment = image === undefined ? undefined : await this.#untilConfigured(stopping);
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

  async #untilImage(stopping: AbortSignal) {
    const { pacing, rules } = this.#home;
    const { image, imagePullPolicy } = this.container;
    for (let attempt = 0; attempt === 0 || !stopping.aborted; attempt += 1) {
      const answer = findImage(image, imagePullPolicy, { rules, credentials: this.#home.credentials() });
      if (answer.type === "present") {
        this.#record("Normal", "Pulled", `Container image "${image}" already present on machine`);
        return answer.kind;
      }
      this.#set({ type: "waiting", reason: answer.reason, message: answer.message });
      this.#recordImageFailure(answer.reason, answer.message);
      if (answer.reason === "ErrImagePull") {
        const backOff = Math.min(longestBackOffMs, firstBackOffMs * 2 ** attempt);
        await pause(resyncMs / pacing.speed, stopping);
        if (stopping.aborted) return undefined;
        const message = `Back-off pulling image "${image}": ErrImagePull: ${answer.message}`;
        this.#set({ type: "waiting", reason: "ImagePullBackOff", message });
        await pause(backOff / pacing.speed, stopping);
      } else {
        await pause(resyncMs / pacing.speed, stopping);
      }
    }
    return undefined;
  }

  #recordImageFailure(reason: string, message: string): void {
    if (reason === "ErrImagePull") {
      this.#record("Normal", "Pulling", `Pulling image "${this.container.image}"`);
      this.#record("Warning", "Failed", `Failed to pull image "${this.container.image}": ${message}`);
    } else {
      this.#record("Warning", reason === "InvalidImageName" ? "InspectFailed" : reason, message);
    }
    this.#record("Warning", "Failed", `Error: ${reason}`);
  }

  async #untilConfigured(stopping: AbortSignal): Promise<Environment | undefined> {
    const { store, pod, pacing, spec } = this.#home;
    do {
      const environment = environmentOf(store, pod, this.container);
      const nonRoot = this.container.securityContext.runAsNonRoot ?? spec.securityContext.runAsNonRoot;
      const asRoot = nonRoot === true && (this.user === undefined || this.user.uid === 0);
      if (typeof environment !== "string" && !asRoot) return environment;
      const message = typeof environment === "string" ? environment : this.#rootMessage();
      this.#set({ type: "waiting", reason: "CreateContainerConfigError", message });
      this.#record("Warning", "Failed", `Error: ${message}`);
      await pause(resyncMs / pacing.speed, stopping);
    } while (!stopping.aborted);
    return undefined;
  }

  #rootMessage(): string {
    const { name, namespace, uid } = this.#home.pod.metadata;
    return `container has runAsNonRoot and image will run as root (pod: "${name}_${namespace}(${uid})", container: ${this.container.name})`;
  }

  async #runOnce(kind: "shell" | "bare", environment: Environment): Promise<void> {
    const { imagesFolder, podFolder } = this.#home;
    const { container } = this;
    const id = randomBytes(32).toString("hex");
    const root = join(podFolder, "containers", id);
    const { folders, mounts } = planRoot(root, { folder: imagesFolder, kind }, mountsOf(container, join(podFolder, "volumes")));
    const argv = [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, environment));
    const command = argv.length > 0 ? argv : kind === "bare" ? ["/pause"] : ["sh"];
    const found = findCommand(command[0] ?? "", { path: environment["PATH"] ?? "", root, mounts });
    this.previousLog = this.log;
    this.log = new ContainerLog();
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
    });
    this.making = making;
    await this.#follow(await making, messageFile);
  }

  async #follow(started: ContainerProcess, messageFile: string): Promise<void> {
    const { log, container } = this;
    const startedAt = Date.now();
    this.process = started;
    this.#started = container.startupProbe === undefined;
    this.#ready = this.#started && container.readinessProbe === undefined && (isSidecar(container) || !this.#isInit());
    this.#record("Normal", "Started", `Started container ${container.name}`);
    this.#set({ type: "running", startedAt });
    started.stdout.on("data", (bytes: Buffer) => log?.append("stdout", bytes));
    started.stderr.on("data", (bytes: Buffer) => log?.append("stderr", bytes));
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
