import type { Store } from "../ost/store.ts";
import type { TaskNode } from "../runs/graph.ts";
import type { TaskInputs } from "../runs/inputs.ts";
import type { AttemptOutcome, StepProgress } from "../runs/outcome.ts";
import type { Step } from "../runs/steps/registry.ts";
import { type AttemptEnvironment, attemptEnvironment, type Open, systemVariables } from "./attempt-environment.ts";
import { type AttemptProgress, type AttemptRecord, createAttemptRecord, type Place } from "./attempt-record.ts";
import { type AttemptServices, followServices } from "./attempt-services.ts";
import { type Verdict, verdictOf, verdictOfExit, verdictOfHalt } from "./attempt-verdict.ts";
import { type Driver, PodError, type PodHandle } from "./driver.ts";
import { type HaltControl, haltOf } from "./halts.ts";
import { startTimer } from "./long-timer.ts";
import { createMasking, type Masker, type Masking } from "./masking.ts";
import { readOutputs } from "./outputs.ts";
import { type PodIdentity, podSpec } from "./pod-spec.ts";
import type { RunPlan } from "./run-plan.ts";
import { createSaying } from "./saying.ts";
import type { StepLog } from "./step-log.ts";
import { performStep } from "./steps/perform-step.ts";
import type { StepContext, StepEnded } from "./steps/step-context.ts";

/** What an attempt needs of the executor that runs it. */
export interface AttemptPorts {
  readonly driver: Driver;
  readonly store: Store;
  readonly open: Open;
  readonly identity: PodIdentity;
  /** Redis's clock (ms). */
  readonly now: () => number;
  readonly inputsOf: (plan: RunPlan, node: TaskNode) => Promise<TaskInputs>;
  readonly openLog: (job: AttemptJob, step: string, masker: Masker) => Promise<StepLog>;
}

export interface AttemptJob {
  readonly assignment: string;
  /** From 1. */
  readonly attempt: number;
  readonly plan: RunPlan;
  readonly node: TaskNode;
  /** `accepted` by this process: new; `held` since a predecessor accepted it: its pod is there, or lost; or to be stopped, and nobody knows. */
  readonly origin: "accepted" | "held" | "unknown";
  /** No step starts later than this (ms, this host's clock), unless the pod was touched since. */
  readonly startBy: number;
}

export interface RunningAttempt {
  /** The outcome; the pod is still there. Rejects only if the executor leaves the attempt to another (`halts.leave`). */
  readonly ended: Promise<AttemptOutcome>;
  readonly progress: () => AttemptProgress;
  readonly pod: () => PodHandle | undefined;
}

const maxMessage = 4_096;

/** Runs an attempt to its end: pod, steps in order, outputs, logs. `onProgress` is called when a step begins or ends. */
export function runAttempt(ports: AttemptPorts, job: AttemptJob, { halts, onProgress }: Omit<AttemptControls, "record">): RunningAttempt {
  const steps = job.node.definition.steps ?? [];
  const record = createAttemptRecord(steps.length);
  const attempt = new Attempt(ports, job, { record, onProgress, halts });
  return { ended: attempt.run(steps), progress: record.progress, pod: () => attempt.pod };
}

interface AttemptControls {
  readonly record: AttemptRecord;
  readonly onProgress: () => void;
  readonly halts: HaltControl;
}

interface Prepared {
  readonly environment: AttemptEnvironment;
  /** -1 if no step was ever started in the pod. */
  readonly lastStarted: number;
}

/** Holds what the parts of an attempt share while it runs. */
class Attempt {
  pod: PodHandle | undefined;
  readonly #ports: AttemptPorts;
  readonly #job: AttemptJob;
  readonly #controls: AttemptControls;
  /** Logs are stored while the next step runs already. */
  readonly #finishing: Promise<void>[] = [];
  #masking: Masking = createMasking([]);
  #services: AttemptServices | undefined;
  #inputs: Promise<TaskInputs> | undefined;
  #cancelTimer: () => void = () => {};

  constructor(ports: AttemptPorts, job: AttemptJob, controls: AttemptControls) {
    this.#ports = ports;
    this.#job = job;
    this.#controls = controls;
  }

  async run(steps: readonly Step[]): Promise<AttemptOutcome> {
    const { record, halts } = this.#controls;
    let verdict: Verdict;
    try {
      verdict = await this.#runAll(steps);
    } catch (error) {
      if (halts.leave.aborted) await this.#services?.end("leave");
      halts.leave.throwIfAborted();
      verdict = verdictOf(error, haltOf(halts));
    } finally {
      this.#cancelTimer();
    }
    const outputs =
      verdict.phase === "stopped"
        ? {}
        : await this.#outputs().catch((error: unknown) => {
            if (verdict.phase === "success") verdict = verdictOf(error, undefined);
            return {};
          });
    await Promise.all([...this.#finishing, this.#services?.end("store")]);
    const progress = record.progress();
    const message = verdict.message === undefined ? undefined : this.#masking.maskText(verdict.message).slice(0, maxMessage);
    return {
      ...verdict,
      ...(message !== undefined && { message }),
      ...(progress.startedAt !== undefined && { startedAt: progress.startedAt }),
      finishedAt: this.#ports.now(),
      // Of a pod that is gone nobody can tell what it ran: it counts as if it had.
      ranStep: progress.steps.some((step) => step.phase !== "notstarted") || (this.#job.origin === "held" && !this.pod),
      setup: progress.setup,
      steps: [...progress.steps],
      ...(Object.keys(outputs).length > 0 && { outputs }),
    };
  }

  async #runAll(steps: readonly Step[]): Promise<Verdict> {
    const environment = await this.#prepare();
    const last = await this.#lastStarted();
    for (const [index, step] of steps.entries()) {
      const halted = haltOf(this.#controls.halts);
      if (halted && index > last) return verdictOfHalt(halted);
      if (index < last && step.type !== "run") {
        // What the predecessor has spooled of its log, if anything, is stored.
        this.#end(index, { phase: "success" }, await this.#openLog(index));
        continue;
      }
      const verdict = await this.#runStep(index, step, { environment, lastStarted: last });
      if (verdict) return verdict;
    }
    return { phase: "success" };
  }

  /** Starts the pod, or attaches to it. Its log tells what the user must know, and why there is no pod. */
  async #prepare(): Promise<AttemptEnvironment> {
    const { record, halts } = this.#controls;
    const { driver, now, identity, open } = this.#ports;
    const { node, plan, assignment, origin } = this.#job;
    record.update("setup", { phase: "running", startedAt: now() });
    const environment = attemptEnvironment(plan, node, open);
    this.#masking = createMasking(environment.secrets);
    const log = await this.#openLog("setup");
    try {
      const found = origin === "accepted" ? undefined : await driver.attach(assignment, halts.leave);
      if (origin !== "accepted" && !found) throw new PodError("pod_lost", "the executor has no pod of this attempt (any more)");
      const spec = () => podSpec(identity, this.#job, { environment, hostNow: Date.now() });
      const saying = createSaying(log, (line) => {
        record.waitFor(this.#masking.maskText(line).slice(0, maxMessage));
        this.#controls.onProgress();
      });
      this.pod = found ?? (await driver.start(spec(), saying.say, halts.halt).finally(saying.said));
      for (const remark of this.pod.remarks) await log.line(remark);
    } catch (error) {
      await this.#endOnFault("setup", error, log);
      throw error;
    }
    record.podStarted(this.#redisTime(this.pod.createdAt));
    this.#services = followServices({
      pod: this.pod,
      count: node.definition.runtime.containers.length - 1,
      openLog: (name) => this.#ports.openLog(this.#job, name, this.#masking.createMasker()),
    });
    this.#limitTime();
    this.#end("setup", { phase: "success", finishedAt: now() }, log);
    return environment;
  }

  /** Steps before the last one that was started are done: so much of a predecessor's work stands. -1 in a new pod. */
  async #lastStarted(): Promise<number> {
    const started = await this.pod?.startedSteps(this.#controls.halts.leave);
    return Math.max(-1, ...(started ?? []).map(({ index }) => index));
  }

  /** A verdict if the attempt ends with this step. */
  async #runStep(index: number, step: Step, { environment, lastStarted }: Prepared): Promise<Verdict | undefined> {
    const { record, onProgress, halts } = this.#controls;
    const { now } = this.#ports;
    const log = await this.#openLog(index);
    record.update(index, { phase: "running", startedAt: now() });
    onProgress();
    try {
      const context = await this.#stepContext(index, environment, log);
      const ended = await performStep(step, context, halts);
      const halted = haltOf(halts);
      const isBehind = index < lastStarted;
      const verdict = halted && !isBehind ? verdictOfHalt(halted) : verdictOfExit(ended);
      this.#end(index, { ...this.#times(ended), phase: verdict?.phase ?? "success" }, log);
      return verdict;
    } catch (error) {
      await this.#endOnFault(index, error, log);
      throw error;
    }
  }

  async #stepContext(index: number, environment: AttemptEnvironment, log: StepLog): Promise<StepContext> {
    const { pod } = this;
    const { store, now, inputsOf } = this.#ports;
    const { plan, node, attempt } = this.#job;
    if (!pod) throw new Error("a step without a pod");
    this.#inputs ??= inputsOf(plan, node);
    const inputs = await this.#inputs;
    const facts = { plan, node, attempt, arch: pod.arch, outputFile: pod.outputFile, inputs: inputs.outputs };
    return {
      plan,
      node,
      attempt,
      index,
      pod,
      log,
      store,
      now,
      workingDir: node.definition.workingDir ?? "~",
      environment: { ...environment.variables, ...systemVariables(facts, index), ...environment.steps[index] },
      workspaces: inputs.workspaces,
    };
  }

  async #endOnFault(place: Place, error: unknown, log: StepLog): Promise<void> {
    const { halts } = this.#controls;
    if (halts.leave.aborted) {
      await log.abandon();
      return;
    }
    const { phase, message } = verdictOf(error, haltOf(halts));
    if (message !== undefined) await log.line(message);
    this.#end(place, { phase, finishedAt: this.#ports.now() }, log);
  }

  #end(place: Place, change: Partial<StepProgress>, log: StepLog): void {
    const { record, onProgress } = this.#controls;
    record.update(place, change);
    const finished = log.finish().then(({ size, complete }) => {
      record.update(place, { ...(size > 0 && { logSize: size }), logComplete: complete });
    });
    // Awaited before the outcome; until then its failure is not unhandled.
    finished.catch(() => {});
    this.#finishing.push(finished);
    onProgress();
  }

  async #openLog(place: Place): Promise<StepLog> {
    const log = await this.#ports.openLog(this.#job, String(place), this.#masking.createMasker());
    this.#controls.record.watchLog(place, log.size);
    return log;
  }

  async #outputs(): Promise<Readonly<Record<string, string>>> {
    if (!this.pod) return {};
    const outputs = await readOutputs(this.pod, this.#controls.halts.leave);
    return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, this.#masking.maskText(value)]));
  }

  /** The attempt's time counts from the begin of its pod, also for a successor of the executor that started it. */
  #limitTime(): void {
    const { timeoutMs, definition } = this.#job.node;
    const leftMs = timeoutMs - (Date.now() - (this.pod?.createdAt ?? Date.now()));
    const message = `the attempt took longer than ${definition.timeout ?? "24h"}`;
    this.#cancelTimer = startTimer(leftMs, () => this.#controls.halts.stop({ type: "timeout", message }));
  }

  #times({ startedAt, finishedAt, exitCode }: StepEnded): Partial<StepProgress> {
    return {
      finishedAt: finishedAt === undefined ? this.#ports.now() : this.#redisTime(finishedAt),
      ...(startedAt !== undefined && { startedAt: this.#redisTime(startedAt) }),
      ...(exitCode !== undefined && { exitCode }),
    };
  }

  /** A time of this host's clock by Redis's. */
  #redisTime(hostMs: number): number {
    return Math.round(hostMs + this.#ports.now() - Date.now());
  }
}
