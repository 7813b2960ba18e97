import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import { describe, inject } from "vitest";
import { z } from "zod";
import { type Docker, dockerProblem } from "./dockerd.ts";

const Answer = z.union([
  z.object({ socketPath: z.string(), homePid: z.number() }).readonly(),
  z.object({ problem: z.string() }).readonly(),
]);

/** `describe` for tests with a Docker daemon: skipped where there can be none, except under CI, where that is a failure. */
export const describeWithDocker = describe.skipIf(dockerProblem() !== undefined && process.env["CI"] !== "true");

/**
 * The daemon that all test files of this vitest share, started when the first one asks. Leave nothing in it that another test could
 * meet: each test labels or names what it makes, and removes it. A test that stops its daemon takes `startDocker` instead.
 */
export async function sharedDocker(): Promise<Docker> {
  const connection = createConnection(inject("dockerStarter"));
  const answer = Answer.parse(JSON.parse(await text(connection)));
  if ("problem" in answer) throw new Error(answer.problem);
  return answer;
}
