import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseConfig } from "../../src/config.ts";

const root = join(import.meta.dirname, "../..");
const token = "a-token-of-enough-length";

const Service = z.object({
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()),
});
const Compose = z.object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.unknown()) });

const compose = Compose.parse(parse(readFileSync(join(root, "compose.yaml"), "utf8"), { merge: true }));
const { redis, ...roles } = compose.services;

/** The compose program: a plugin of docker's, or the one that Debian packages. */
function composeProgram(): readonly string[] | undefined {
  return [["docker", "compose"], ["docker-compose"]].find(
    ([program = "", ...args]) => spawnSync(program, [...args, "version"]).status === 0,
  );
}

describe("compose.yaml", () => {
  it("has one service for each role, each with settings that ostler takes", () => {
    const configs = Object.values(roles).map(({ command, environment }) => {
      const env = Object.entries(environment).map(([name, value]) => [name, value.startsWith("${") ? token : value]);
      expect(command[0]).toBe("serve");
      return parseConfig({ env: Object.fromEntries(env), argv: command.slice(1) });
    });
    expect(configs.flatMap((config) => config.roles).sort()).toEqual(["api", "executor", "scheduler"]);
    expect(new Set(configs.map((config) => config.ostUrl)).size).toBe(1);
    expect(new Set(configs.map((config) => config.redisUrl))).toEqual(new Set(["redis://redis:6379"]));
  });

  it("shares one volume between the roles, where they keep what they share", () => {
    expect(Object.values(roles).map((role) => role.volumes)).toEqual(Array(3).fill(["data:/var/lib/ostler"]));
    expect(Object.keys(compose.volumes)).toEqual(["redis", "data"]);
  });

  it("has a Redis that keeps what ostler promises by default", () => {
    expect(redis?.command.join(" ")).toContain("--appendonly yes --appendfsync always");
    expect(redis?.command.join(" ")).toContain("--maxmemory-policy noeviction");
    expect(parseConfig({ env: {} }).durability).toBe("acknowledged");
  });

  // Debian has the program; elsewhere the tests above must do.
  it.runIf(process.env["CI"] === "true" || composeProgram())("is what docker compose understands", () => {
    const [program = "docker-compose", ...args] = composeProgram() ?? [];
    const output = execFileSync(program, [...args, "-f", join(root, "compose.yaml"), "config"], {
      env: { ...process.env, OSTLER_ADMIN_TOKEN: token },
      encoding: "utf8",
    });
    expect(output).toContain("valkey/valkey:8-alpine");
  });
});

describe("the Dockerfile", () => {
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const copied = Array.from(dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm), ([, paths = ""]) => paths.split(" ").slice(0, -1)).flat();

  it("copies only what the checkout has and .dockerignore lets through", () => {
    const tracked = execFileSync("git", ["ls-files", ...copied], { cwd: root, encoding: "utf8" }).split("\n");
    const allowed = readFileSync(join(root, ".dockerignore"), "utf8")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    for (const path of copied)
      expect(
        tracked.some((file) => file === path || file.startsWith(`${path}/`)),
        path,
      ).toBe(true);
    expect([...allowed].sort()).toEqual([...copied].sort());
  });

  it("runs as nobody special, with something that reaps", () => {
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["tini", "--", "ostler"\]$/m);
  });
});
