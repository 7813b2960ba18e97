import type { Session } from "./session.ts";
import { tableWidth } from "./terminal.ts";
import { type Column, tableLines } from "./text/table.ts";

export interface Listing<Row> {
  readonly rows: readonly Row[];
  /** What json and yaml show: the API's own shape. */
  readonly value: unknown;
  readonly columns: readonly Column<Row>[];
  /** What names a row in other commands. */
  readonly name: (row: Row) => string;
  /** Said, not printed, where there is no row. */
  readonly empty: string;
}

/** Prints rows as the user wants them: a table, the API's data, or names alone. */
export async function showList<Row>(session: Session, listing: Listing<Row>): Promise<void> {
  const { print, say, shell, format } = session;
  if (format === "json" || format === "yaml") return print(await dataText(format, listing.value));
  if (format === "name") {
    for (const row of listing.rows) print(listing.name(row));
    return;
  }
  if (listing.rows.length === 0) return say(listing.empty);
  const width = tableWidth(shell.stdout);
  for (const line of tableLines(listing.columns, listing.rows, width)) print(line);
}

/** A value as JSON or YAML, for programs. */
export async function dataText(format: "json" | "yaml", value: unknown): Promise<string> {
  if (format === "json") return JSON.stringify(value, null, 2);
  const { stringify } = await import("yaml");
  return stringify(value, { aliasDuplicateObjects: false }).trimEnd();
}
