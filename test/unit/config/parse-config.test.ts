import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../../../src/config.ts";
import { newFolder } from "../../support/folder.ts";

const machine = { hostname: "build-7.example", cores: 6, memoryBytes: 8 * 1024 ** 3, dataHome: "/home/ada/.local/share" };

function faultsOf(given: { env?: Record<string, string>; argv?: string[] }): readonly string[] {
  try {
    parseConfig({ env: given.env ?? {}, argv: given.argv ?? [], machine });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe("the server's settings", () => {
  it("have defaults that start a whole ostler on loopback", () => {
    expect(parseConfig({ env: {}, argv: [], machine })).toMatchInlineSnapshot(`
      {
        "allowPod": false,
        "dataDir": "/home/ada/.local/share/ostler",
        "durability": "acknowledged",
        "executor": {
          "allowPrivileged": false,
          "dockerHost": "unix:///var/run/docker.sock",
          "driver": "process",
          "dynamic": false,
          "fenceMs": 600000,
          "helperImage": "busybox:1.37-musl",
          "id": "build-7.example",
          "kubernetesHelper": "before",
          "kubernetesNodeSelectors": [],
          "kubernetesServiceAccounts": [],
          "kubernetesTolerations": [],
          "labels": {},
          "pool": "default",
          "taskLimit": 6,
        },
        "heartbeatIntervalMs": 5000,
        "heartbeatTtlMs": 20000,
        "host": "127.0.0.1",
        "hostEnvironment": {},
        "logLevel": "info",
        "maxBodyBytes": 33554432,
        "maxSourceBytes": 4294967296,
        "maxStreams": 1000,
        "ostUrl": "file:///home/ada/.local/share/ostler/ost",
        "poolGroups": {},
        "port": 7070,
        "redisMaxMemoryBytes": 2147483648,
        "redisPrefix": "{ostler}",
        "roles": [
          "api",
          "scheduler",
          "executor",
        ],
        "shardLeaseMs": 5000,
        "shards": 16,
      }
    `);
  });

  it("come from variables, and a flag wins over a variable", () => {
    const env = {
      OSTLER_PORT: "8080",
      OSTLER_HEARTBEAT_TTL: "2m",
      OSTLER_EXECUTOR_LABELS: "size=big,zone=eu",
      OSTLER_EXECUTOR_FENCE: "3m",
    };
    const config = parseConfig({
      env,
      argv: ["--port", "9090", "--roles=executor,api", "--driver", "process", "--executor-dynamic"],
      machine,
    });
    expect(config).toMatchObject({
      port: 9090,
      heartbeatTtlMs: 120_000,
      roles: ["api", "executor"],
      executor: { labels: { size: "big", zone: "eu" }, driver: "process", dynamic: true },
    });
  });

  it("come from a file where a variable ends in _FILE, without the line's end", () => {
    const path = join(newFolder("config"), "token");
    writeFileSync(path, "correct-horse-battery\n");
    expect(parseConfig({ env: { OSTLER_ADMIN_TOKEN_FILE: path }, machine }).adminToken).toBe("correct-horse-battery");
  });

  it("are not set when empty, as variable and as flag", () => {
    expect(parseConfig({ env: { OSTLER_PORT: "", OSTLER_ADMIN_TOKEN: "" }, argv: ["--host", ""], machine })).toMatchObject({
      port: 7070,
      host: "127.0.0.1",
    });
    expect(parseConfig({ env: { OSTLER_ADMIN_TOKEN: "" }, machine })).not.toHaveProperty("adminToken");
  });

  it("take switches with and without a value", () => {
    const dynamic = (...argv: string[]) => parseConfig({ env: { OSTLER_EXECUTOR_DYNAMIC: "true" }, argv, machine }).executor.dynamic;
    expect(dynamic("--executor-dynamic=false")).toBe(false);
    expect(dynamic("--executor-dynamic", "--port", "1")).toBe(true);
  });

  it("ignore what steps receive and what the client reads", () => {
    const env = {
      OSTLER_RUN_ID: "x",
      OSTLER_STEP: "0",
      OSTLER_OUTPUT: "/o",
      OSTLER_OUTPUT_BUILD_TAG: "7",
      OSTLER_URL: "no url",
      OSTLER_OUTPUT_FORMAT_FILE: "/none",
    };
    expect(faultsOf({ env })).toEqual([]);
  });

  it("pass on only what a child process may see of the environment", () => {
    const env = { PATH: "/bin", TZ: "UTC", HOME: "/root", AWS_SECRET_ACCESS_KEY: "s" };
    expect(parseConfig({ env, machine }).hostEnvironment).toEqual({ PATH: "/bin", TZ: "UTC" });
  });
});

describe("faulty settings", () => {
  it("are reported all at once, each by the name it was given by", () => {
    const env = {
      OSTLER_PROT: "1",
      OSTLER_SHARDS: "0",
      OSTLER_HEARTBEAT_TTL: "5",
      OSTLER_ROLES: "api,gateway",
      OSTLER_REDIS_URL_FILE: "/no/such/file",
    };
    expect(faultsOf({ env, argv: ["--port", "70000", "--datadir", "/x", "extra", "--host"] })).toEqual([
      "unknown setting OSTLER_PROT (did you mean OSTLER_PORT?)",
      expect.stringMatching(/^OSTLER_REDIS_URL_FILE names a file that cannot be read: ENOENT/),
      "unknown flag --datadir (did you mean --data-dir?)",
      'unexpected argument "extra"',
      "--host needs a value",
      'OSTLER_ROLES must be one or more of api, scheduler, executor, separated by commas, not "api,gateway"',
      '--port must be a whole number from 0 to 65535, not "70000"',
      'OSTLER_SHARDS must be a whole number from 1 to 1024, not "0"',
      'OSTLER_HEARTBEAT_TTL must be a number with one of the units ms, s, m, h, d, such as 30s, at least 50ms, not "5"',
    ]);
  });

  it("never repeat a secret", () => {
    const env = { OSTLER_SECRET_KEY: "hunter2", OSTLER_ADMIN_TOKEN: "hunter2", OSTLER_REDIS_URL: "http://u:hunter2@h" };
    const faults = faultsOf({ env });
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain("hunter2");
  });

  it.each([
    ["a value and a file for the same setting", { OSTLER_PORT: "1", OSTLER_PORT_FILE: "/p" }, /both set/],
    ["another address than loopback without a token", { OSTLER_HOST: "0.0.0.0" }, /needs OSTLER_ADMIN_TOKEN/],
    ["a single role without a Redis", { OSTLER_ROLES: "executor" }, /needs OSTLER_REDIS_URL/],
    ["a replica of the private Redis", { OSTLER_DURABILITY: "replicated" }, /no replica/],
    ["a heartbeat that expires before the next", { OSTLER_HEARTBEAT_INTERVAL: "15s" }, /at least twice/],
    ["a fence shorter than the heartbeat's ttl", { OSTLER_EXECUTOR_FENCE: "19s" }, /OSTLER_EXECUTOR_FENCE \(19s\)/],
    ["privileged processes", { OSTLER_EXECUTOR_ALLOW_PRIVILEGED: "true" }, /no privileged/],
    ["an unknown variable with nothing near", { OSTLER_FROBNICATE: "1" }, /^unknown setting OSTLER_FROBNICATE$/],
    ["an object storage that is not there yet", { OSTLER_OST_URL: "s3://bucket/prefix" }, /not supported by this version/],
    ["a prefix without a hash tag", { OSTLER_REDIS_PREFIX: "ostler" }, /hash tag/],
    ["labels with a name twice", { OSTLER_EXECUTOR_LABELS: "a=1,a=2" }, /each name once/],
  ])("include %s", (_, env, fault) => {
    expect(faultsOf({ env })).toEqual([expect.stringMatching(fault)]);
  });

  it("do not drag contradictions with them", () => {
    expect(faultsOf({ env: { OSTLER_HEARTBEAT_TTL: "soon", OSTLER_HEARTBEAT_INTERVAL: "1h" } })).toHaveLength(1);
  });
});
