import { usage } from "./failure.ts";

/** How a person names a run. */
export type RunReference =
  | { readonly type: "id"; readonly id: string }
  | { readonly type: "prefix"; readonly prefix: string }
  /** An absolute group, or the end of one. */
  | { readonly type: "number"; readonly group: string; readonly number: number }
  | { readonly type: "last"; readonly failed: boolean };

/** `RUN`, `RUN/TASK` or `RUN/TASK/STEP`, as it was typed. */
export interface Reference {
  readonly run: RunReference;
  readonly task: string | undefined;
  readonly step: string | undefined;
}

const idLength = 26;
/** Ids begin with the time, and so with a zero for the next thousand years: a word is not the beginning of one. */
const idText = /^0[0-9a-hjkmnp-tv-z]*$/;

export const referenceForms =
  "a run is named by its id or the beginning of it, by GROUP#NUMBER (/project/web#12, or web#12 where that is unique), @last or @last-failed";

/** Splits a reference. A group has slashes of its own, so what follows the number, id or `@last` is task and step. Throws a usage failure. */
export function parseReference(text: string): Reference {
  const hash = text.indexOf("#");
  const group = hash < 0 ? "" : text.slice(0, hash);
  const [head = "", task, step, ...rest] = text.slice(hash + 1).split("/");
  if (rest.length > 0 || task === "" || step === "") throw usage(`"${text}" is not RUN, RUN/TASK or RUN/TASK/STEP`, [referenceForms]);
  return { run: hash < 0 ? parseRun(head, text) : parseNumber(group, head, text), task, step };
}

/** A reference to a run as a whole. */
export function parseRunReference(text: string): RunReference {
  const { run, task } = parseReference(text);
  if (task !== undefined)
    throw usage(`"${text}" names a task; this takes a whole run`, [`try: ${text.slice(0, text.lastIndexOf(`/${task}`))}`]);
  return run;
}

function parseRun(head: string, text: string): RunReference {
  if (head === "@last" || head === "@last-failed") return { type: "last", failed: head === "@last-failed" };
  const lower = head.toLowerCase();
  if (!idText.test(lower) || lower.length > idLength) throw usage(`"${text}" names no run`, [referenceForms]);
  return lower.length === idLength ? { type: "id", id: lower } : { type: "prefix", prefix: lower };
}

function parseNumber(group: string, head: string, text: string): RunReference {
  if (!/^[1-9]\d{0,14}$/.test(head)) throw usage(`"${text}" has no run number after the #`, [referenceForms]);
  if (group === "" || group.endsWith("/")) throw usage(`"${text}" has no group before the #`, [referenceForms]);
  return { type: "number", group, number: Number(head) };
}
