/** Runs once per vitest, around all test files: owns what they share. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { type PrivateDocker, startDocker } from "./dockerd.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A unix socket: who connects is told the shared Docker daemon, which the first one starts. */
    readonly dockerStarter: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "ostler-vitest-"));
  const socketPath = join(folder, "docker-starter.sock");
  let docker: Promise<PrivateDocker> | undefined;
  const server = createServer(async (connection) => {
    docker ??= startDocker();
    const answer = await docker.then(
      ({ socketPath, homePid }) => ({ socketPath, homePid }),
      (error: unknown) => ({ problem: `no Docker daemon: ${error instanceof Error ? error.message : String(error)}` }),
    );
    connection.on("error", () => {}).end(JSON.stringify(answer));
  });
  server.listen(socketPath);
  await once(server, "listening");
  project.provide("dockerStarter", socketPath);
  return async () => {
    server.close();
    // One that did not start has removed itself.
    const started = await docker?.catch(() => undefined);
    await started?.remove();
    rmSync(folder, { recursive: true, force: true });
  };
}
