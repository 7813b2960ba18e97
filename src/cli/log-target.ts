import type { TaskView } from "../runs/view.ts";
import { exitCode } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { lastAttempt } from "./words.ts";

/** Which part of a task's log is meant; both absent mean all of it. */
export interface LogPartAddress {
  readonly step?: number;
  readonly setup?: true;
}

/** A step by what a person typed: `setup`, its position from 0, or its name. */
export function stepAddress(task: TaskView, text: string | undefined): LogPartAddress {
  if (text === undefined) return {};
  if (text === "setup") return { setup: true };
  if (/^\d{1,3}$/.test(text)) return { step: Number(text) };
  const names = lastAttempt(task)?.steps.map(({ name }) => name) ?? [];
  const step = names.indexOf(text);
  if (step >= 0 && step === names.lastIndexOf(text)) return { step };
  const hints = names.map((name, index) => `${index}  ${name}`);
  const message = step < 0 ? `there is no step "${text}"` : `several steps are called "${text}"`;
  throw new Failure(message, { exitCode: exitCode.notFound, hints: ["name a step by its number:", "setup", ...hints] });
}
