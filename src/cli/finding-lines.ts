import type { Paint } from "./text/colour.ts";
import { oneLine, pad, widthOf } from "./text/width.ts";

/** What a check has found, as the API tells it; `advice` is there where it is not well. */
export interface ShownFinding {
  readonly check: string;
  readonly state: "ok" | "warning" | "failed";
  readonly message: string;
  readonly advice?: string | null | undefined;
}

const stateWidth = "warning".length;
const gap = "  ";

/** A line per finding, and below it what to do where there is something. */
export function findingLines(findings: readonly ShownFinding[], paint: Paint): readonly string[] {
  const checkWidth = Math.max(0, ...findings.map(({ check }) => widthOf(check)));
  const indent = " ".repeat(stateWidth + checkWidth + 2 * gap.length);
  return findings.flatMap(({ check, state, message, advice }) => {
    const colour = state === "ok" ? "green" : state === "warning" ? "yellow" : "red";
    const line = [paint(colour, pad(state, stateWidth)), pad(check, checkWidth), oneLine(message)].join(gap);
    return advice ? [line, `${indent}-> ${oneLine(advice)}`] : [line];
  });
}

/** `9 checks: 7 ok, 1 warning, 1 failed`. */
export function findingSummary(findings: readonly ShownFinding[]): string {
  const count = (wanted: ShownFinding["state"]) => findings.filter(({ state }) => state === wanted).length;
  return `${findings.length} checks: ${count("ok")} ok, ${count("warning")} warning, ${count("failed")} failed`;
}
