import { rootOf } from "../ids.ts";

/** How a run is named in what we print: short, and always understood. */
export function referenceOf(run: { readonly group: string; readonly number: number }): string {
  return `${rootOf(run.group)}#${run.number}`;
}

/** As it must be typed in a shell: task names may have blanks and brackets. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-][A-Za-z0-9_@%+=:,./#-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
