import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { statusOf } from "../../src/errors.ts";
import { AttemptReason } from "../../src/runs/outcome.ts";
import { RunReason } from "../../src/runs/states.ts";
import { SkipReason, WaitingReason } from "../../src/runs/view.ts";

/** The first words of the table rows below a heading. */
function rowsBelow(page: string, heading: string): readonly string[] {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return Array.from(section.matchAll(/^\| `(\w+)` \|/gm), ([, code = ""]) => code);
}

const types = (union: typeof WaitingReason | typeof SkipReason) => union.options.map((option) => option.shape.type.value);

it.each([
  ["Why does it wait?", types(WaitingReason)],
  ["Why did an attempt end?", AttemptReason.options],
  ["Why was a task skipped?", types(SkipReason)],
  ["Why did the run end?", RunReason.options],
  ["What does the API refuse?", Object.keys(statusOf)],
])("the troubleshooting page answers every code of: %s", async (heading, codes) => {
  const page = await readFile(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
  expect(rowsBelow(page, heading)).toEqual(codes);
});
