import { describe, expect, it } from "vitest";
import { findViolations } from "../../scripts/import-rules.ts";

function violationsOf(sources: Readonly<Record<string, string>>): readonly string[] {
  return findViolations(new Map(Object.entries(sources)));
}

const allowed = {
  "ids.ts": 'import { randomBytes } from "node:crypto";',
  "runs/graph.ts": 'import { z } from "zod";\nimport { rootOf } from "../ids.ts";',
  "actors/run/messages.ts": 'import { z } from "zod";',
  "actors/pool/messages.ts": "",
  "actors/run/decide.ts": 'import type {\n  Request,\n} from "../pool/messages.ts";\nimport { graph } from "../../runs/graph.ts";',
  "executors/process/driver.ts": 'import { spawn } from "node:child_process";',
  "client/runs.ts": "",
  "cli/run.ts":
    'import { runs } from "../client/runs.ts";\nimport { parse } from "../runs/graph.ts";\nimport { config } from "../config.ts";',
  "config.ts": "",
  "main.ts": 'await import("./cli/run.ts");',
  "index.ts": 'export * from "./client/runs.ts";',
};

describe("the import rules", () => {
  it("let through what the architecture allows", () => {
    expect(violationsOf(allowed)).toEqual([]);
  });

  it.each([
    [
      "a built-in in the domain",
      "runs/a.ts",
      'import { readFile } from "node:fs/promises";',
      /runs\/a\.ts imports node:fs\/promises: the domain is pure/,
    ],
    ["a log in a decision", "actors/pool/decide.ts", 'import type { Logger } from "pino";', /the domain is pure/],
    ["Redis in messages", "actors/pool/state.ts", 'import { Redis } from "ioredis";', /the domain is pure/],
    ["another room in the domain", "runs/a.ts", 'import { c } from "../cli/run.ts";', /runs\/ knows no other room/],
    ["more of an actor than its messages", "actors/run/actor.ts", 'import { pick } from "../pool/state.ts";', /only the messages/],
    ["an actor in an executor", "executors/loop.ts", 'import { m } from "../actors/run/messages.ts";', /neither actors\/ nor http/],
    ["another driver in a driver", "executors/docker/a.ts", 'import { d } from "../process/driver.ts";', /no other driver/],
    ["the domain in the web", "web/app.ts", 'import { g } from "../runs/graph.ts";', /web\/ knows client\/ only/],
    ["the server in the client's commands", "cli/serve.ts", 'import { g } from "../actors/run/decide.ts";', /cli\/ knows/],
    [
      "the composition root anywhere",
      "cli/serve.ts",
      'export const m = async () => await import(\n  "../main.ts"\n);',
      /nothing imports main\.ts/,
    ],
    ["a barrel", "client/all.ts", 'export { runs } from "./runs.ts";', /only index\.ts may/],
    ["a file that is not there", "runs/a.ts", 'import "./gone.ts";', /runs\/gone\.ts, which does not exist/],
  ])("find %s", (_, path, source, message) => {
    const violations = violationsOf({ "actors/pool/state.ts": "", ...allowed, [path]: source });
    expect(violations).toContainEqual(expect.stringMatching(message));
  });

  it("find a cycle once, however it is entered", () => {
    const sources = {
      "http/a.ts": 'import { b } from "./b.ts";',
      "http/b.ts": 'import { c } from "./c.ts";',
      "http/c.ts": 'import type { B } from "./b.ts";',
    };
    expect(violationsOf(sources)).toEqual(["cycle: http/b.ts -> http/c.ts -> http/b.ts"]);
  });
});
