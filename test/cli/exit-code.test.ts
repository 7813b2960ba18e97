import { describe, expect, it } from "vitest";
import { exitCodeOfApiError, exitCodeOfRun, worstExitCode } from "../../src/cli/exit-code.ts";

describe("the exit code", () => {
  it.each([
    ["finished", "success", 0],
    ["finished", "failed", 3],
    ["finished", "stopped", 4],
    ["cancelled", "unknown", 4],
    ["setuperror", "unknown", 5],
  ] as const)("of a run %s with result %s is %i", (phase, result, code) => {
    expect(exitCodeOfRun({ phase, result })).toBe(code);
  });

  it.each([
    [404, "run_not_found", 7],
    [410, "events_trimmed", 7],
    [401, "unauthorized", 8],
    [403, "forbidden", 8],
    [409, "conflict", 9],
    [400, "bad_request", 1],
    [500, "internal", 1],
    [503, "maintenance", 10],
    [502, "bad_gateway", 10],
    [404, "bad_gateway", 10],
    [undefined, "unreachable", 10],
    [undefined, "no_answer", 10],
  ])("of an answer %s %s is %i", (status, code, expected) => {
    expect(exitCodeOfApiError({ status, code })).toBe(expected);
  });

  it("of several runs is that of the worst", () => {
    expect(worstExitCode([0, 4, 3, 5])).toBe(3);
    expect(worstExitCode([4, 5, 0])).toBe(5);
    expect(worstExitCode([0, 4])).toBe(4);
    expect(worstExitCode([0, 0])).toBe(0);
  });
});
