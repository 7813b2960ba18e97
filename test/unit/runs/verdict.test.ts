import { describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/runs/graph.ts";
import { AttemptReason } from "../../../src/runs/outcome.ts";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import type { AttemptStop, EndedAttempt } from "../../../src/runs/task.ts";
import { conclude, retryDelayMs } from "../../../src/runs/verdict.ts";
import { task } from "./faults.ts";

function failed(reason: AttemptReason, ranStep = true): EndedAttempt {
  return { phase: "failed", reason, queuedAt: 0, finishedAt: 0, ranStep };
}

function delay(more: Record<string, unknown>, attempts: readonly EndedAttempt[]): number | undefined {
  const [node] = compileGraph(parseDefinition(task(more))).tasks;
  if (!node) throw new Error("no task");
  return retryDelayMs(node, attempts);
}

describe("retries", () => {
  const own = { retry: { limit: 1 }, infraRetry: { limit: 0 } };
  const infra = { retry: { limit: 0 }, infraRetry: { limit: 1 } };
  const budgets: Readonly<Record<AttemptReason, readonly [own: boolean, infra: boolean]>> = {
    exit_code: [true, false],
    timeout: [true, false],
    oom: [true, false],
    executor_lost: [false, true],
    pod_lost: [false, true],
    evicted: [false, true],
    image: [false, true],
    start_timeout: [false, true],
    setup: [false, true],
    config: [false, false],
    image_permanent: [false, false],
    queue_timeout: [false, false],
    approval_timeout: [false, false],
    run_timeout: [false, false],
    stopped: [false, false],
    internal: [false, false],
  };

  it.each(AttemptReason.options)("after %s come from the published budget", (reason) => {
    expect([delay(own, [failed(reason)]) !== undefined, delay(infra, [failed(reason)]) !== undefined]).toEqual(budgets[reason]);
  });

  it("wait twice as long each time, up to five minutes", () => {
    const attempts = Array.from({ length: 12 }, () => failed("exit_code"));
    const delays = attempts.map((_, index) => delay({ retry: { limit: 20 } }, attempts.slice(0, index + 1)));
    expect(delays.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(delays.at(-1)).toBe(300_000);
  });

  it("wait as the task says, but only where the task itself failed", () => {
    const more = { retry: { limit: 5, backoff: { base: "10m", factor: 1, max: "1h" } } };
    expect(delay(more, [failed("exit_code")])).toBe(600_000);
    expect(delay(more, [failed("evicted")])).toBe(1000);
  });

  it("do not count attempts that never ran a step, of which the tenth is the last", () => {
    const never = failed("start_timeout", false);
    expect(delay({ infraRetry: { limit: 0 } }, Array(9).fill(never))).toBe(256_000);
    expect(delay({ infraRetry: { limit: 9 } }, Array(10).fill(never))).toBeUndefined();
    expect(delay({ retry: { limit: 1 } }, [never, never, failed("exit_code")])).toBe(1000);
  });
});

describe("how an attempt counts", () => {
  const stop = (why: AttemptStop["why"]): AttemptStop => ({ at: 0, why });
  const outcome = { finishedAt: 0, ranStep: true } as const;

  it.each([
    ["success", undefined, undefined, { phase: "success" }],
    ["success", undefined, "stopped", { phase: "success" }],
    ["failed", "oom", undefined, { phase: "failed", reason: "oom" }],
    ["failed", undefined, undefined, { phase: "failed", reason: "internal" }],
    ["stopped", undefined, undefined, { phase: "failed", reason: "pod_lost" }],
    ["stopped", "evicted", undefined, { phase: "failed", reason: "evicted" }],
    ["failed", "stopped", undefined, { phase: "failed", reason: "pod_lost" }],
    ["stopped", "stopped", "stopped", { phase: "stopped", reason: "stopped" }],
    ["stopped", undefined, "run_timeout", { phase: "stopped", reason: "run_timeout" }],
    ["failed", "exit_code", "stopped", { phase: "failed", reason: "exit_code" }],
    ["failed", "executor_lost", "stopped", { phase: "stopped", reason: "executor_lost" }],
    ["stopped", "stopped", "timeout", { phase: "failed", reason: "timeout" }],
    ["stopped", undefined, "start_timeout", { phase: "failed", reason: "start_timeout" }],
    ["failed", "image", "start_timeout", { phase: "failed", reason: "image" }],
  ] as const)("reported %s (%s), told to stop for %s", (phase, reason, why, expected) => {
    expect(conclude({ ...outcome, phase, reason }, why && stop(why))).toEqual(expected);
  });
});
