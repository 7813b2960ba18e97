import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakeMachine } from "./fake-machine.ts";

const complete = { node: "v18.20.0", npm: "works", redis: "7.0.15" } as const;

describe("scripts/start on a fresh machine", () => {
  it("installs packages and the project's Node after --yes, and puts that Node first", () => {
    const machine = fakeMachine(complete);
    const { exitCode, output, commands } = machine.run("start", ["--yes", "--port", "7171"]);
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/needs to install:\s+- npm packages.*\s+- Node 24/);
    expect(commands).toEqual(["npm ci --no-audit --no-fund", `node v24.9.0 ${machine.checkout}/scripts/start.ts --yes --port 7171`]);
    expect(machine.path().split(":")[0]).toBe(`${machine.checkout}/node_modules/.bin`);
  });

  it("asks nothing and installs nothing when everything is there", () => {
    const machine = fakeMachine(complete);
    machine.run("start", [], { CI: "true" });
    const { exitCode, output, commands } = machine.run("start", ["--once", "a b.yaml"]);
    expect(exitCode).toBe(0);
    expect(output).toBe("");
    expect(commands.slice(2)).toEqual([`node v24.9.0 ${machine.checkout}/scripts/start.ts --once a b.yaml`]);
  });

  it("installs nothing where there is nobody to ask", () => {
    const { exitCode, output, commands } = fakeMachine(complete).run("start");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/needs to install:[\s\S]*there is no terminal to ask on: start with --yes/);
    expect(commands).toEqual([]);
  });

  it("installs nothing when the answer is no", async () => {
    const { exitCode, output, commands } = await fakeMachine(complete).runOnTerminal("start", "n");
    expect(output).toContain("nothing was installed");
    expect(exitCode).toBe(1);
    expect(commands).toEqual([]);
  });

  it("asks once for everything, and goes on when the answer is yes", async () => {
    const { exitCode, output, commands } = await fakeMachine({ node: "v20.1.0", npm: "works", apt: "7.0.15" }).runOnTerminal("start", "y");
    expect(exitCode, output).toBe(0);
    expect(output.split("Go on?")).toHaveLength(2);
    expect(commands.at(-1)).toMatch(/^node v24/);
  });
});

describe("Node", () => {
  it("is asked for where there is none, or no npm", () => {
    expect(fakeMachine({}).run("start", ["--yes"])).toMatchObject({ exitCode: 1, output: expect.stringContaining("there is no Node") });
    expect(fakeMachine({ node: "v20.1.0" }).run("start", ["--yes"])).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("no npm"),
    });
  });

  it("is refused where it is too old to install anything", () => {
    const { exitCode, output, commands } = fakeMachine({ ...complete, node: "v16.20.2" }).run("start", ["--yes"]);
    expect(exitCode).toBe(1);
    expect(output).toContain("Node v16.20.2 is too old");
    expect(commands).toEqual([]);
  });

  it("is brought by a rebuild where npm ran no install scripts", () => {
    const { exitCode, commands } = fakeMachine({ ...complete, npm: "ignores-scripts" }).run("start", ["--yes"]);
    expect(exitCode).toBe(0);
    expect(commands.slice(1)).toEqual(["npm rebuild node --ignore-scripts=false", expect.stringMatching(/^node v24/)]);
  });

  it("is the system's where that is new enough and npm runs no scripts at all", () => {
    const { exitCode, commands } = fakeMachine({ ...complete, node: "v24.1.0", npm: "refuses-scripts" }).run("start", ["--yes"]);
    expect(exitCode).toBe(0);
    expect(commands.at(-1)).toMatch(/^node v24\.1\.0/);
  });

  it("is told to be missing with the line to type where npm refuses", () => {
    const { exitCode, output } = fakeMachine({ ...complete, npm: "refuses-scripts" }).run("start", ["--yes"]);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/needs Node 24\. This is v18\.20\.0[\s\S]*npm rebuild node --ignore-scripts=false/);
  });

  it("does not matter when npm fails: that is said", () => {
    expect(fakeMachine({ ...complete, npm: "fails" }).run("start", ["--yes"])).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("npm ci failed"),
    });
  });
});

describe("Redis", () => {
  const without = { node: "v20.1.0", npm: "works" } as const;

  it("is installed by root with apt-get, but neither started nor enabled", () => {
    const machine = fakeMachine({ ...without, apt: "7.0.15" });
    const { exitCode, output, commands } = machine.run("start", ["--yes"]);
    expect(exitCode, output).toBe(0);
    expect(output).toContain("a Redis server with apt-get; it is neither enabled nor started");
    expect(commands.slice(1, -1)).toEqual([
      "apt-get update",
      "apt-get install -y --no-install-recommends redis-server",
      "services are kept from starting",
      "systemctl disable redis-server.service",
    ]);
    expect(existsSync(machine.policy)).toBe(false);
  });

  it("is installed through sudo where that asks nothing", () => {
    const { exitCode, commands } = fakeMachine({ ...without, apt: "7.0.15", user: "sudoer" }).run("start", ["--yes"]);
    expect(exitCode).toBe(0);
    expect(commands).toContain("apt-get install -y --no-install-recommends redis-server");
  });

  it("is one line to type where we may not install it, before anything is installed", () => {
    const { exitCode, output, commands } = fakeMachine({ ...without, apt: "7.0.15", user: "user" }).run("start", ["--yes"]);
    expect(exitCode).toBe(1);
    expect(output).toContain("sudo apt-get install redis-server && sudo systemctl disable --now redis-server");
    expect(commands).toEqual([]);
  });

  it("is one line to type where there is no package manager that we know", () => {
    const { exitCode, output } = fakeMachine(without).run("start", ["--yes"]);
    expect(exitCode).toBe(1);
    expect(output).toContain("or set OSTLER_REDIS_URL");
  });

  it("is not taken where it is too old, on the path or in the packages", () => {
    expect(fakeMachine({ ...without, redis: "6.0.16" }).run("start", ["--yes"]).exitCode).toBe(1);
    const { exitCode, output, commands } = fakeMachine({ ...without, apt: "6.0.16" }).run("start", ["--yes"]);
    expect(exitCode).toBe(1);
    expect(output).toContain("did not bring a Redis of version 7 or newer");
    expect(commands.filter((command) => command.startsWith("apt-get install"))).toEqual([]);
  });

  it("is not needed to start where another is configured, but always for the tests", () => {
    const env = { OSTLER_REDIS_URL: "redis://db:6379" };
    expect(fakeMachine(without).run("start", ["--yes"], env).exitCode).toBe(0);
    expect(fakeMachine(without).run("test", ["--yes"], env)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("there is no Redis"),
    });
  });
});

describe("scripts/test", () => {
  const withDocker = { ...complete, docker: ["dockerd", "containerd", "runc"], busybox: "static" } as const;

  it("asks for the same consent, and hands its arguments on", () => {
    expect(fakeMachine(withDocker).run("test", ["test/unit"])).toMatchObject({ exitCode: 1, commands: [] });
    const { exitCode, output, commands } = fakeMachine(withDocker).run("test", ["--yes", "test/unit"]);
    expect(exitCode).toBe(0);
    expect(output).not.toContain("ocker");
    expect(commands.at(-1)).toBe("node v24.9.0 scripts/test.ts test/unit");
  });

  it("installs what tests with containers need, and leaves no service enabled or running", () => {
    const machine = fakeMachine({ ...complete, apt: "7.0.15" });
    const { exitCode, output, commands } = machine.run("test", ["--yes"]);
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(
      /- docker\.io busybox-static with apt-get, .*for tests that need containers; nothing of it is enabled or started/,
    );
    expect(commands.slice(1, -1)).toEqual([
      "apt-get update",
      "apt-get install -y --no-install-recommends docker.io busybox-static",
      "services are kept from starting",
      "systemctl disable docker.service",
      "systemctl disable docker.socket",
      "systemctl disable containerd.service",
    ]);
    expect(existsSync(machine.policy)).toBe(false);
  });

  it("takes the links of those services away where there is no systemd, and no others", () => {
    const machine = fakeMachine({ ...complete, apt: "7.0.15", systemd: false });
    const wanted = [
      "sockets.target.wants/docker.socket",
      "multi-user.target.wants/containerd.service",
      "multi-user.target.wants/cron.service",
    ];
    for (const link of wanted) {
      mkdirSync(join(machine.units, dirname(link)), { recursive: true });
      writeFileSync(join(machine.units, link), "");
    }
    const { exitCode, output, commands } = machine.run("test", ["--yes"]);
    expect(exitCode, output).toBe(0);
    expect(wanted.filter((link) => existsSync(join(machine.units, link)))).toEqual(["multi-user.target.wants/cron.service"]);
    expect(commands).toContain("update-rc.d docker disable");
  });

  it("installs Docker beside Redis with one look at the package lists", () => {
    const { commands } = fakeMachine({ node: "v18.20.0", npm: "works", apt: "7.0.15" }).run("test", [], { CI: "true" });
    expect(commands.filter((command) => command.startsWith("apt-get"))).toEqual([
      "apt-get update",
      "apt-get install -y --no-install-recommends redis-server",
      "apt-get install -y --no-install-recommends docker.io busybox-static",
    ]);
  });

  it("takes a busybox that needs libraries for none, and leaves the services alone that were there", () => {
    const { commands } = fakeMachine({ ...withDocker, busybox: "dynamic", apt: "7.0.15" }).run("test", ["--yes"]);
    expect(commands).toContain("apt-get install -y --no-install-recommends busybox-static");
    expect(commands.filter((command) => command.startsWith("systemctl"))).toEqual([]);
    const half = fakeMachine({ ...complete, docker: ["containerd", "runc"], busybox: "static", apt: "7.0.15" }).run("test", ["--yes"]);
    expect(half.commands).toContain("apt-get install -y --no-install-recommends docker.io");
    expect(half.commands.filter((command) => command.startsWith("systemctl"))).toEqual([
      "systemctl disable docker.service",
      "systemctl disable docker.socket",
    ]);
  });

  it.each([
    ["nobody can be asked", { apt: "7.0.15" }, /there is no terminal to ask on/],
    ["there is no apt-get", {}, /there is no apt-get to install docker\.io busybox-static with/],
    ["it is not root's shell", { apt: "7.0.15", user: "user" }, /a Docker daemon needs root/],
  ] as const)("says that tests with containers are skipped where %s, and runs the others", (_, machine, reason) => {
    const fake = fakeMachine({ ...complete, ...machine });
    fake.run("start", ["--yes"]);
    const { exitCode, output, commands } = fake.run("test");
    expect(exitCode, output).toBe(0);
    expect(output.split("\n").filter((line) => line.startsWith("tests that need containers are skipped: "))).toEqual([
      expect.stringMatching(reason),
    ]);
    expect(commands.at(-1)).toBe("node v24.9.0 scripts/test.ts");
  });

  it("skips nothing under CI=true: what cannot be had is an error", () => {
    const { exitCode, output, commands } = fakeMachine(complete).run("test", [], { CI: "true" });
    expect(exitCode).toBe(1);
    expect(output).toContain("tests that need containers cannot run, and CI=true allows none to be skipped: there is no apt-get");
    expect(commands).toEqual([]);
    const failing = fakeMachine({ ...complete, apt: "7.0.15" }).run("test", [], { CI: "true", APT_FAILS: "yes" });
    expect(failing).toMatchObject({ exitCode: 1, output: expect.stringContaining("could not install docker.io busybox-static") });
  });
});
