import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newFolder } from "../support/folder.ts";

const repository = join(import.meta.dirname, "../..");
/** What any POSIX system has, and the scripts use. */
const tools = ["sh", "cat", "chmod", "cp", "dirname", "env", "find", "grep", "head", "id", "mkdir", "rm", "sed", "tee"];

export interface Machine {
  /** Version of the Node on the path; undefined: none. */
  readonly node?: string;
  /** `ignore-scripts`: npm installs packages but runs no install scripts; `refuses`: not even when asked to. */
  readonly npm?: "works" | "ignores-scripts" | "refuses-scripts" | "fails";
  /** Version of redis-server on the path; undefined: none. */
  readonly redis?: string;
  /** Which of the programs of Docker are on the path, such as `dockerd`; a `busybox` is static unless said otherwise. */
  readonly docker?: readonly string[];
  readonly busybox?: "static" | "dynamic";
  /** Which version of Redis apt-get would install; undefined: no apt-get. */
  readonly apt?: string;
  /** False for a container's system, which keeps its services otherwise or not at all. */
  readonly systemd?: boolean;
  /** Who runs the script: root, a user whom sudo obeys, or one without rights. */
  readonly user?: "root" | "sudoer" | "user";
}

export interface Outcome {
  readonly exitCode: number;
  /** Everything printed, on both streams. */
  readonly output: string;
  /** Commands that the fake programs saw, one a line. */
  readonly commands: readonly string[];
}

/** A checkout in a folder with a blank, on a machine on which only what is said exists. */
export function fakeMachine(machine: Machine) {
  const home = newFolder("my machine");
  const checkout = join(home, "my checkout");
  const bin = join(home, "bin");
  const log = join(home, "commands");
  const policy = join(home, "policy-rc.d");
  const units = join(home, "systemd");
  mkdirSync(bin);
  mkdirSync(join(checkout, "scripts/lib"), { recursive: true });
  for (const path of ["scripts/start", "scripts/test", "package-lock.json"]) cpSync(join(repository, path), join(checkout, path));
  const setup = readFileSync(join(repository, "scripts/lib/setup.sh"), "utf8");
  for (const path of ["/usr/sbin/policy-rc.d", "/etc/systemd/system"]) {
    if (!setup.includes(path)) throw new Error(`${path} is not where this test replaces it`);
  }
  const moved = setup.replaceAll("/usr/sbin/policy-rc.d", policy).replaceAll("/etc/systemd/system", `'${units}'`);
  writeFileSync(join(checkout, "scripts/lib/setup.sh"), moved);
  for (const tool of tools) symlinkSync(findTool(tool), join(bin, tool));

  const fake = (name: string, body: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\nsay() { printf '%s\\n' "$*" >>'${log}'; }\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const nodeBody = (version: string) =>
    `[ "$1" = --version ] && { echo ${version}; exit; }; say "node ${version} $*"; echo "$PATH" >'${home}/path'`;
  if (machine.node !== undefined) fake("node", nodeBody(machine.node));
  fake("npm-installs-node", `mkdir -p node_modules/.bin; cp '${bin}/own-node' node_modules/.bin/node`);
  fake("own-node", nodeBody("v24.9.0"));
  const scripts = machine.npm === "works" ? "npm-installs-node" : ":";
  const rebuild = machine.npm === "refuses-scripts" ? ":" : "npm-installs-node";
  if (machine.npm === "fails") fake("npm", `say "npm $*"; echo 'npm error code E500' >&2; exit 1`);
  else if (machine.npm) {
    fake(
      "npm",
      `say "npm $*"; case $1 in ci) mkdir -p node_modules; : >node_modules/.package-lock.json; ${scripts} ;; rebuild) ${rebuild} ;; esac`,
    );
  }
  const redisBody = (version: string) => `echo "Redis server v=${version} sha=00000000:0"`;
  if (machine.redis !== undefined) fake("redis-server", redisBody(machine.redis));
  for (const program of machine.docker ?? []) fake(program, "exit 1");
  if (machine.busybox) fake("busybox", machine.busybox === "static" ? "exit 1" : ": /lib64/ld-linux-x86-64.so.2");
  if (machine.apt !== undefined) {
    fake("new-redis", redisBody(machine.apt));
    fake("apt-cache", `case $2 in redis-server) printf 'redis-server:\\n  Installed: (none)\\n  Candidate: 5:${machine.apt}-1\\n' ;; esac`);
    fake(
      "apt-get",
      `say "apt-get $*"; [ "$1" = update ] && exit; [ -e '${policy}' ] && say 'services are kept from starting'
       case $* in *busybox*) [ -z "\${APT_FAILS:-}" ] || { echo 'E: no such package' >&2; exit 100; } ;; *) cp '${bin}/new-redis' '${bin}/redis-server' ;; esac`,
    );
    if (machine.systemd !== false) fake("systemctl", 'say "systemctl $*"');
    else fake("update-rc.d", 'say "update-rc.d $*"');
  }
  const user = machine.user ?? "root";
  if (user === "root") fake("id", "echo 0");
  else {
    fake("id", "echo 1000");
    fake("sudo", user === "sudoer" ? 'shift; say "sudo $1"; "$@"' : "echo 'sudo: a password is required' >&2; exit 1");
  }

  const commands = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
  return {
    checkout,
    policy,
    /** Where the system's services are linked. */
    units,
    /** The path that the program which the script ended in was given. */
    path: () => readFileSync(join(home, "path"), "utf8").trim(),
    /** Runs a script without a terminal, from another folder. */
    run: (script: "start" | "test", args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Outcome => {
      const result = spawnSync(join(checkout, "scripts", script), [...args], {
        cwd: "/",
        env: { PATH: bin, ...env },
        encoding: "utf8",
        timeout: 20_000,
      });
      return { exitCode: result.status ?? -1, output: result.stdout + result.stderr, commands: commands() };
    },
    /** Runs a script on a terminal on which somebody types `answer`. */
    runOnTerminal: async (script: "start" | "test", answer: string): Promise<Outcome> => {
      const command = `'${join(checkout, "scripts", script)}'`;
      const terminal = spawn(findTool("script"), ["-qec", command, "/dev/null"], { cwd: "/", env: { PATH: bin, SHELL: "/bin/sh" } });
      let output = "";
      terminal.stdout.on("data", (bytes) => {
        output += bytes;
        if (output.includes("[Y/n]") && terminal.stdin.writable) terminal.stdin.end(`${answer}\n`);
      });
      const exitCode = await new Promise<number>((resolve) => terminal.on("close", (code) => resolve(code ?? -1)));
      return { exitCode, output, commands: commands() };
    },
  };
}

function findTool(name: string): string {
  const folder = ["/bin", "/usr/bin"].find((candidate) => existsSync(join(candidate, name)));
  if (folder === undefined) throw new Error(`this machine has no ${name}`);
  return join(folder, name);
}
