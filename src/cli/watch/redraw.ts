import { widthOf } from "../text/width.ts";

const csi = "\x1b[";
/** Terminals that know it show the change at once instead of line by line; others ignore it (DEC private mode 2026). */
const beginUpdate = `${csi}?2026h`;
const endUpdate = `${csi}?2026l`;
const eraseLine = `${csi}K`;
const eraseBelow = `${csi}J`;

/** Takes the cursor out of sight while frames are drawn, and puts it back. */
export const hideCursor = `${csi}?25l`;
export const showCursor = `${csi}?25h`;

/** How many rows lines take on a terminal of that width, which breaks what was drawn when it was wider. */
export function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
}

/**
 * What to write so that `next` stands where `previous` stood. The cursor is at the start of the line below a frame,
 * before and after; `columns` is the width now, which a resize may have changed since `previous` was drawn.
 */
export function redraw(previous: readonly string[], next: readonly string[], columns: number): string {
  const up = rowsOf(previous, columns);
  const home = up === 0 ? "" : `\r${csi}${up}A`;
  const lines = next.map((line) => `${line}${eraseLine}\r\n`).join("");
  return `${beginUpdate}${home}${lines}${eraseBelow}${endUpdate}`;
}
