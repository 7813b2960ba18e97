import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder for the running test, removed when it has finished. `name` is part of its path. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ostler-${name}-`));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
