import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomId } from "../../ids.ts";

const source = readFileSync(new URL("./supervisor.sh", import.meta.url), "utf8");
const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);

/**
 * Where the supervisor is that steps below `pods` are started with. A copy beside the pods: a shell reads its script as it goes,
 * and an upgrade must not change the script of a step that runs. Named by its content, so that it never changes.
 */
export async function installSupervisor(pods: string): Promise<string> {
  const path = join(pods, `.supervisor-${hash}.sh`);
  if (existsSync(path)) return path;
  // The first steps of several pods may be started at once: each writes a draft of its own.
  const draft = join(pods, `.supervisor-${hash}.${randomId(12)}`);
  await mkdir(pods, { recursive: true, mode: 0o700 });
  await writeFile(draft, source, { mode: 0o700 });
  await rename(draft, path);
  return path;
}
