import { createPoolActor } from "../../../../src/actors/pool/actor.ts";
import type { PoolMessage } from "../../../../src/actors/pool/messages.ts";
import { createKeys } from "../../../../src/redis/keys.ts";
import { createStage } from "../stage.ts";

type Told<Type extends PoolMessage["type"]> = Extract<PoolMessage, { type: Type }>;

export const pool = createPoolActor({ keys: createKeys("{test}") });

export const stagePool = () => createStage(pool, "default");

/** Run ids that sort by their number. */
export function runId(number: number): string {
  return `${"0".repeat(20)}${String(number).padStart(6, "0")}`;
}

export function request(run: number, options: Partial<Told<"request">> = {}): Told<"request"> {
  return {
    type: "request",
    run: runId(run),
    task: 0,
    attempt: 1,
    requirement: {},
    root: "/project/web",
    group: "/project/web/main",
    priority: 0,
    runCreatedAt: run,
    queueTimeoutMs: 60_000,
    ...options,
  };
}

interface ExecutorOptions {
  readonly life?: Told<"executor-changed">["life"];
  readonly incarnation?: string;
  readonly taskLimit?: number;
  readonly labels?: Record<string, string>;
  readonly archs?: string[];
  readonly allowPrivileged?: boolean;
}

export function executor(id: string, options: ExecutorOptions = {}): Told<"executor-changed"> {
  const { life = "active", incarnation = `${id}-1`, taskLimit = 1, labels = {}, archs = ["amd64"], allowPrivileged = false } = options;
  const description = {
    ...{ id, pool: "default", group: "host", driver: "process", archs, labels, taskLimit, allowPrivileged },
    ...{ dynamic: false, version: "1" },
  };
  return { type: "executor-changed", executor: id, incarnation, life, description };
}

/** The assignment of a run's first attempt at its first task, under the stage's first owner. */
export function assignment(run: number, { task = 0, attempt = 1, session = "s1" } = {}): string {
  return `${runId(run)}-${task}-${attempt}-${session}`;
}
