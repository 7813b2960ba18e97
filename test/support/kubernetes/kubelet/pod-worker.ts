import { EventEmitter, once } from "node:events";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, type JsonObject, listAt, textAt } from "../json.ts";
import { type KubeObject, timestamp } from "../kube-object.ts";
import { type Container, isSidecar, type PodSpec, podSpecOf } from "../pod-spec.ts";
import { type PodCondition, renderStatus, toldPhaseOf } from "../pod-status.ts";
import { pods } from "../resource.ts";
import { ContainerTask } from "./container-task.ts";
import { credentialsOf } from "./credentials.ts";
import type { NodeHome } from "./node-home.ts";
import { pause, resyncMs, roundMs, sandboxMs } from "./pacing.ts";
import { isThere, removePod } from "./pod-removal.ts";
import { prepareVolumes } from "./volumes.ts";

/** Why the node agent itself ends a pod; the object stays. */
export interface Verdict {
  readonly reason: "DeadlineExceeded" | "Evicted";
  readonly message: string;
}

const never = new AbortController().signal;

/** What a node agent does about one pod, from its first status to the removal of the object. */
export class PodWorker {
  readonly init: readonly ContainerTask[];
  readonly main: readonly ContainerTask[];
  readonly #home: NodeHome;
  readonly #pod: KubeObject;
  readonly #spec: PodSpec;
  readonly #podFolder: string;
  readonly #podIp: string;
  readonly #startTime = Date.now();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #stopping = new AbortController();
  #graceMs = 0;
  #verdict: Verdict | undefined;
  #deleted = false;
  #gone = false;
  #sandboxReady = false;
  #settled = false;
  #neverRan = false;
  #toldPhase = "Pending";
  #roundComes = false;

  constructor(home: NodeHome, pod: KubeObject, podIp: string) {
    this.#home = home;
    this.#pod = pod;
    this.#podIp = podIp;
    this.#spec = podSpecOf(pod);
    this.#podFolder = join(home.folder, pod.metadata.uid);
    const { initContainers, containers } = this.#spec;
    const waitingFor = initContainers.length > 0 ? "PodInitializing" : "ContainerCreating";
    const task = (container: Container) => this.#task(container, waitingFor);
    this.init = initContainers.map(task);
    this.main = containers.map(task);
  }

  /** Ends when nothing of the pod is left on the node. */
  async run(): Promise<void> {
    mkdirSync(join(this.#podFolder, "volumes"), { recursive: true });
    await this.#publish();
    const deadline = this.#watchDeadline();
    try {
      await this.#prepare();
      const sidecars = await this.#initialise();
      if (sidecars !== undefined) await this.#runMain();
      await this.#finish(sidecars ?? []);
    } finally {
      clearTimeout(deadline);
    }
    while (!this.#deleted && !this.#gone) await once(this.#changes, "request");
    if (!this.#gone) await removePod(this.#home, this.#pod);
    await rm(this.#podFolder, { recursive: true, force: true });
  }

  /** The object is to be deleted: ends its containers with the grace that was asked for first. */
  delete(graceMs: number): void {
    this.#deleted = true;
    this.#stop(graceMs);
  }

  /** The object is gone already: what is left is killed. */
  forget(): void {
    this.#gone = true;
    this.#stop(0);
    for (const task of [...this.init, ...this.main]) task.process?.signal("SIGKILL");
  }

  /** Ends it for a reason of the node's own. */
  condemn(verdict: Verdict, graceMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#verdict = verdict;
    this.#home.recorder.record({ object: this.#pod, type: "Warning", ...verdict });
    this.#stop(graceMs);
  }

  find(container: string): ContainerTask | undefined {
    return [...this.init, ...this.main].find((task) => task.container.name === container);
  }

  #stop(graceMs: number): void {
    if (!this.#stopping.signal.aborted) {
      this.#graceMs = graceMs;
      // The state at the beginning is told; the next one that is told has all of it ended.
      void this.#publish();
    }
    this.#stopping.abort();
    this.#changes.emit("request");
  }

  #task(container: Container, waitingFor: string): ContainerTask {
    const { store, recorder, pacing, imagesFolder, rules } = this.#home;
    const credentials = () => credentialsOf(store, this.#pod.metadata.namespace ?? "", this.#spec.imagePullSecrets);
    const changed = () => this.#changed();
    const shared = { pod: this.#pod, spec: this.#spec, store, recorder, pacing, imagesFolder, rules };
    return new ContainerTask({ ...shared, podFolder: this.#podFolder, credentials, changed }, container, waitingFor);
  }

  #watchDeadline(): NodeJS.Timeout | undefined {
    const { activeDeadlineSeconds, terminationGracePeriodSeconds } = this.#spec;
    if (activeDeadlineSeconds === undefined) return undefined;
    const { userSpeed } = this.#home.pacing;
    const message = "Pod was active on the node longer than the specified deadline";
    const condemn = () => this.condemn({ reason: "DeadlineExceeded", message }, (terminationGracePeriodSeconds * 1000) / userSpeed);
    return setTimeout(condemn, (activeDeadlineSeconds * 1000) / userSpeed);
  }

  async #prepare(): Promise<void> {
    const { store, pacing, recorder } = this.#home;
    await pause(sandboxMs / pacing.speed, never);
    const volumes = {
      namespace: this.#pod.metadata.namespace ?? "",
      volumes: this.#spec.volumes,
      folder: join(this.#podFolder, "volumes"),
    };
    for (;;) {
      const problem = prepareVolumes(store, volumes);
      if (problem === undefined) break;
      recorder.record({ object: this.#pod, type: "Warning", reason: "FailedMount", message: problem });
      await pause(resyncMs / pacing.speed, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
    }
    this.#sandboxReady = true;
  }

  /** Runs the init containers one after another. Gives the sidecars that run, or undefined if it failed or was stopped. */
  async #initialise(): Promise<readonly Promise<void>[] | undefined> {
    const sidecars: Promise<void>[] = [];
    for (const task of this.init) {
      const ended = this.#runTask(task);
      if (isSidecar(task.container)) {
        sidecars.push(ended);
        while (!task.condition.started && !this.#stopping.signal.aborted)
          await once(this.#changes, "change", { signal: this.#stopping.signal }).catch(() => {});
      } else {
        await ended;
      }
      if (this.#stopping.signal.aborted) return undefined;
      const { state } = task.condition;
      if (!isSidecar(task.container) && (state.type !== "terminated" || state.exitCode !== 0)) return undefined;
      await this.#nextRound();
    }
    return sidecars;
  }

  /** A container that cannot be made at all ends its pod's work. */
  async #runTask(task: ContainerTask): Promise<void> {
    const ended = task.run(this.#stopping.signal);
    const stopped = once(this.#stopping.signal, "abort").then(() => this.#stopOne(task));
    stopped.catch(() => {});
    await ended;
  }

  /** Sidecars are stopped after the ordinary containers, elsewhere. */
  async #stopOne(task: ContainerTask): Promise<void> {
    if (!isSidecar(task.container)) await this.#stopWhenMade(task);
  }

  /** One that is being made is stopped once it runs. */
  async #stopWhenMade(task: ContainerTask): Promise<void> {
    if (task.process === undefined && task.condition.id !== undefined && task.condition.state.type === "waiting") {
      await once(this.#changes, "change");
      await this.#nextRound();
    }
    await task.stop(this.#graceMs);
  }

  async #runMain(): Promise<void> {
    const late = this.#stopping.signal.aborted;
    const ended: Promise<void>[] = [];
    for (const task of this.main) {
      ended.push(late ? this.#runLate(task) : this.#runTask(task));
      // Not recorded. Node agents start one container after another, and wait for the hook of each.
      if (task.hook !== undefined && !late) await this.#started(task);
    }
    await Promise.all(ended);
  }

  async #started(task: ContainerTask): Promise<void> {
    while (task.condition.state.type === "waiting" && !this.#stopping.signal.aborted) {
      await once(this.#changes, "change", { signal: this.#stopping.signal }).catch(() => {});
    }
    await task.runHook();
  }

  /** Deleted while it was made: it runs all the same, and then has its whole grace. */
  async #runLate(task: ContainerTask): Promise<void> {
    const ended = task.run(this.#stopping.signal);
    while (task.condition.state.type === "waiting" && task.process === undefined) {
      const outcome = await Promise.race([ended.then(() => "ended"), once(this.#changes, "change").then(() => "changed")]);
      if (outcome === "ended") return;
    }
    await this.#nextRound();
    await task.stop(this.#graceMs);
    await ended;
  }

  /** All that is left is stopped and cleaned up; then the final phase is told. */
  async #finish(sidecars: readonly Promise<void>[]): Promise<void> {
    const asked = this.#stopping.signal.aborted;
    if (!asked) await this.#nextRound();
    if (this.main.every((task) => task.condition.id === undefined) && asked) await this.#loseContainers();
    const { terminationGracePeriodSeconds } = this.#spec;
    const graceMs = asked ? this.#graceMs : (terminationGracePeriodSeconds * 1000) / this.#home.pacing.userSpeed;
    this.#stop(graceMs);
    await Promise.all([...this.init, ...this.main].map((task) => task.stop(graceMs)));
    await Promise.all(sidecars);
    this.#sandboxReady = false;
    if (sidecars.length > 0 && !asked) await this.#nextRound();
    this.#settled = true;
    await this.#nextRound();
  }

  /** Deleted while it waited for an image: it is made ready once more, and then lost. */
  async #loseContainers(): Promise<void> {
    for (const task of this.main) task.wait(this.init.length > 0 ? "PodInitializing" : "ContainerCreating");
    await this.#publish();
    this.#sandboxReady = false;
    await this.#nextRound();
    for (const task of this.main) task.lose();
    this.#neverRan = true;
  }

  #changed(): void {
    this.#changes.emit("change");
    if (this.#roundComes || this.#stopping.signal.aborted) return;
    this.#roundComes = true;
    void this.#nextRound();
  }

  /** Tells the API the state at the next look. */
  async #nextRound(): Promise<void> {
    await pause(roundMs / this.#home.pacing.speed, never);
    await Promise.allSettled([...this.init, ...this.main].map((task) => task.making));
    this.#roundComes = false;
    await this.#publish();
  }

  async #publish(): Promise<void> {
    await this.#home.whenReachable();
    if (!isThere(this.#home.store, this.#pod)) return;
    const { namespace, name } = this.#pod.metadata;
    this.#home.store.update(pods, { namespace, name }, (current) => {
      const condition = this.#condition(current);
      this.#toldPhase = toldPhaseOf(condition);
      return { ...current, status: renderStatus(condition, listAt(current, "status", "conditions").filter(isJsonObject), Date.now()) };
    });
  }

  #condition(current: KubeObject): PodCondition {
    const before = listAt(current, "status", "conditions").filter(isJsonObject);
    const scheduled = before.find((condition) => condition["type"] === "PodScheduled");
    return {
      spec: this.#spec,
      init: this.init.map((task) => task.condition),
      main: this.main.map((task) => task.condition),
      sandboxReady: this.#sandboxReady,
      startTime: this.#startTime,
      podIp: this.#sandboxReady || this.#toldIp(current) ? this.#podIp : undefined,
      hostIp: "127.0.0.1",
      settled: this.#settled,
      toldPhase: this.#toldPhase,
      verdict: this.#verdict,
      neverRan: this.#neverRan,
      qosClass: textAt(current, "status", "qosClass") ?? "BestEffort",
      foreignConditions: before.filter(isForeign),
      scheduledAt: textAt(scheduled, "lastTransitionTime") ?? timestamp(this.#startTime),
    };
  }

  #toldIp(current: KubeObject): boolean {
    return textAt(current, "status", "podIP") !== undefined;
  }
}

const ownConditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

function isForeign(condition: JsonObject): boolean {
  return !ownConditions.includes(textAt(condition, "type") ?? "");
}
