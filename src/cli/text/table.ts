import { oneLine, pad, truncate, widthOf } from "./width.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Applied after the text was laid out. */
  readonly paint?: (text: string, row: Row) => string;
}

const gap = "  ";

/**
 * Rows as aligned columns below a line of titles. `width` is a terminal's; the last column that does not fit is cut off there.
 * Without it nothing is cut: programs that read a pipe get everything.
 */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): readonly string[] {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.text(row)) || "-"));
  const widths = columns.map((column, i) => Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[i] ?? ""))));

  function line(texts: readonly string[], paint: (text: string, i: number) => string): string {
    let room = width ?? Number.POSITIVE_INFINITY;
    const parts: string[] = [];
    for (const [i, text] of texts.entries()) {
      const isLast = i === texts.length - 1;
      const shown = truncate(text, room);
      parts.push(paint(isLast ? shown : pad(shown, Math.min(widths[i] ?? 0, room)), i));
      room -= (widths[i] ?? 0) + gap.length;
      if (room <= 0) break;
    }
    return parts.join(gap).trimEnd();
  }

  const titles = line(
    columns.map((column) => column.title),
    (text) => text,
  );
  const lines = rows.map((row, r) => line(cells[r] ?? [], (text, i) => columns[i]?.paint?.(text, row) ?? text));
  return [titles, ...lines];
}
