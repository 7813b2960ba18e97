import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { readlink } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Mount } from "./container-root.ts";

/** What a container's first process is started with. */
export interface ProcessPlan {
  readonly root: string;
  readonly folders: readonly string[];
  readonly mounts: readonly Mount[];
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly readOnly: boolean;
  /** A file of the host that the container sees at its termination message path. */
  readonly messageFile: string;
  readonly messagePath: string;
  /** Told of output from the first byte. */
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Buffer) => void;
}

/** The first process of a container: process 1 of its own process namespace, so that it ignores TERM unless it handles it. */
export interface ContainerProcess {
  /** As the host numbers it. */
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit code, signals as 128+n; everything in the container is gone then. */
  readonly ended: Promise<number>;
  readonly signal: (name: "SIGTERM" | "SIGKILL") => void;
  /** Kills the processes inside whose command line has a text. */
  readonly killChildren: (command: string) => void;
}

const diesWithUs = ["--pdeathsig", "KILL"];

/**
 * Starts it: a mount and a process namespace, a root of its own, and nothing that outlives this test process.
 * Rejects with the reason if the namespace cannot be made.
 */
export async function startProcess(plan: ProcessPlan): Promise<ContainerProcess> {
  const script = setupScript(plan);
  const unshare = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/busybox", "sh", "-c", script, "start"];
  const child = spawn("/usr/bin/setpriv", [...diesWithUs, ...unshare, ...plan.argv], {
    // What unshare itself says is none of the container's: that writes its errors to a pipe of its own.
    stdio: ["ignore", "pipe", "ignore", "pipe", "pipe"],
    env: plan.environment,
    detached: true,
  });
  const [, stdout, , report, stderr] = child.stdio;
  const ended = exitCodeOf(child);
  // Listened to at once: what nobody has read when a child ends is thrown away.
  let complaint = "";
  readable(stdout).on("data", (bytes: Buffer) => plan.onOutput("stdout", bytes));
  readable(stderr).on("data", (bytes: Buffer) => {
    if (complaint.length < 1000) complaint += bytes.toString();
    plan.onOutput("stderr", bytes);
  });
  let told = "";
  for await (const chunk of readable(report)) {
    told += String(chunk);
    if (told.includes("\n")) break;
  }
  const pid = Number(told);
  if (!Number.isInteger(pid) || pid === 0) {
    const code = await ended;
    throw new Error(`no container: ${complaint} (${code})`);
  }
  await rooted(pid, ended);
  let killed = false;
  const signal: ContainerProcess["signal"] = (name) => {
    killed ||= name === "SIGKILL";
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  };
  return {
    pid,
    stdout: readable(stdout),
    stderr: readable(stderr),
    ended: ended.then((code) => (killed ? 137 : code)),
    signal,
    killChildren: (command) => killInside(pid, command),
  };
}

/** The pid is told just before the process gets its root: who entered sooner would be outside of the container. */
async function rooted(pid: number, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const root = () => readlink(`/proc/${pid}/root`).catch(() => undefined);
  while (!isOver && (await root()) === "/") await delay(1);
}

/** Another process inside a container. Ends by itself, or with the container. */
export function enterContainer(
  pid: number,
  { argv, environment, user, tty = false }: Pick<ProcessPlan, "argv" | "environment" | "user"> & { readonly tty?: boolean },
): { readonly child: ChildProcess; readonly ended: Promise<number> } {
  const who = user === undefined ? [] : ["-S", String(user.uid), "-G", String(user.gid)];
  const enter = ["/usr/bin/nsenter", "-t", String(pid), "-m", "-p", "-r", "-w", ...who, "--", ...argv];
  const command = tty ? ["/usr/bin/script", "--quiet", "--return", "--flush", "--command", enter.map(quote).join(" "), "/dev/null"] : enter;
  const child = spawn("/usr/bin/setpriv", [...diesWithUs, ...command], {
    stdio: ["pipe", "pipe", "pipe"],
    env: environment,
    detached: true,
  });
  return { child, ended: exitCodeOf(child) };
}

function killInside(pid: number, command: string): void {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  for (const other of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(pid))) {
    try {
      const line = readFileSync(`/proc/${other}/cmdline`, "utf8").replaceAll("\0", " ");
      if (readlinkSync(`/proc/${other}/ns/pid`) === namespace && line.includes(command)) process.kill(Number(other), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code, signal] = await once(child, "close");
  if (typeof code === "number") return code;
  return 128 + (signalNumbers[String(signal)] ?? 0);
}

function readable(stream: unknown): Readable {
  // The child was made with pipes, whose reading ends are sockets.
  return stream as Readable;
}

/** Runs as process 1 of the new namespace, reports its number on the host, and becomes the command. */
function setupScript(plan: ProcessPlan): string {
  const { root, folders, mounts, workingDir, user } = plan;
  writeFileSync(plan.messageFile, "", { mode: 0o666 });
  const bind = (source: string, target: string) => `mount --bind ${quote(source)} ${quote(target)}`;
  const inRoot = (path: string) => `${root}${path}`;
  const who = user === undefined ? "" : `-S ${user.uid} -G ${user.gid}`;
  return [
    "exec 2>&4 4>&-",
    "set -e",
    "read -r pid rest </proc/self/stat",
    `mkdir -p ${folders.map((folder) => quote(inRoot(folder))).join(" ")}`,
    `chmod 1777 ${quote(inRoot("/tmp"))}`,
    ...(plan.readOnly ? [bind(root, root)] : []),
    ...mounts.flatMap(({ source, target, memoryBytes }) => [
      ...(folders.includes(target) ? [] : [`mkdir -p ${quote(inRoot(target))}`]),
      memoryBytes === undefined
        ? bind(source, inRoot(target))
        : `mount -t tmpfs -o size=${memoryBytes},mode=1777 tmpfs ${quote(inRoot(target))}`,
    ]),
    ...mounts.filter(({ readOnly }) => readOnly).map(({ target }) => `mount -o remount,bind,ro ${quote(inRoot(target))}`),
    `mount -t proc proc ${quote(inRoot("/proc"))}`,
    `test -e ${quote(inRoot(plan.messagePath))} || : >${quote(inRoot(plan.messagePath))}`,
    bind(plan.messageFile, inRoot(plan.messagePath)),
    // Within a volume or below the image's own folders.
    `mkdir -p ${quote(inRoot(workingDir))}`,
    ...(plan.readOnly ? [`mount -o remount,bind,ro ${quote(root)}`] : []),
    'echo "$pid" >&3',
    "exec 3>&-",
    `exec /usr/bin/unshare --root=${quote(root)} --wd=${quote(workingDir)} ${who} -- "$@"`,
  ].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
