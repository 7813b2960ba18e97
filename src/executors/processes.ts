import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process of this host. `start` tells it from a later one with the same pid, across reboots too. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly start: string;
}

const hasProc = process.platform === "linux";

/** Fields of /proc/<pid>/stat (proc(5)); undefined for a zombie, which is as good as gone, and for what is not such a line. */
export function parseStat(line: string): ProcessEntry | undefined {
  const pid = Number.parseInt(line, 10);
  // The command's name may hold blanks and brackets, so the fields count from its last bracket.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group, session] = fields;
  const startTicks = fields[19];
  if (startTicks === undefined || state === "Z" || state === "X") return undefined;
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), start: `${bootId()}/${startTicks}` };
}

let knownBootId: string | undefined;

function bootId(): string {
  knownBootId ??= hasProc ? readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim() : "";
  return knownBootId;
}

/** A process by its pid; undefined if there is none (any more). */
export function findProcess(pid: number): ProcessEntry | undefined {
  if (!hasProc) return listByPs(["-p", String(pid)])[0];
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** All processes that can be seen, zombies left out. */
export function listProcesses(): readonly ProcessEntry[] {
  if (!hasProc) return listByPs(["-A"]);
  return readdirSync("/proc").flatMap((name) => {
    const entry = /^\d+$/.test(name) ? findProcess(Number(name)) : undefined;
    return entry ? [entry] : [];
  });
}

/** All processes at one moment. */
export interface ProcessTable {
  readonly entries: readonly ProcessEntry[];
  /** True if the process was started with this environment entry (`NAME=value`); false where that cannot be seen. */
  readonly wasStartedWith: (pid: number, entry: string) => boolean;
}

let nextTable: Promise<ProcessTable> | undefined;

/** A look at the process table, shared by all who ask for one at the same time: it costs some milliseconds. */
export function lookAtProcesses(): Promise<ProcessTable> {
  nextTable ??= new Promise((resolve) => {
    setImmediate(() => {
      nextTable = undefined;
      resolve(createTable());
    });
  });
  return nextTable;
}

function createTable(): ProcessTable {
  const environments = new Map<number, string>();
  const environmentOf = (pid: number): string => {
    const known = environments.get(pid);
    if (known !== undefined) return known;
    const read = hasProc ? readEnvironment(pid) : "";
    environments.set(pid, read);
    return read;
  };
  return { entries: listProcesses(), wasStartedWith: (pid, entry) => environmentOf(pid).includes(`\0${entry}\0`) };
}

function readEnvironment(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`;
  } catch {
    return "";
  }
}

/** Where there is no /proc: sessions are not told, so a process's group stands for its session. */
function listByPs(which: readonly string[]): readonly ProcessEntry[] {
  let table: string;
  try {
    table = execFileSync("ps", [...which, "-o", "pid=,ppid=,pgid=,stat=,lstart="], {
      encoding: "utf8",
      env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
    });
  } catch {
    return [];
  }
  return table.split("\n").flatMap((line) => {
    const [pid, parent, group, state = "Z", ...start] = line.trim().split(/\s+/);
    if (group === undefined || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), session: Number(group), start: start.join(" ") }];
  });
}

/** Names this machine and its space of process ids: pids of two processes can be compared only if both names are equal. */
export function hostIdentity(): string {
  const read = (get: () => string) => {
    try {
      return get().trim();
    } catch {
      return "";
    }
  };
  const machine = read(() => readFileSync("/etc/machine-id", "latin1"));
  return [hostname(), machine, read(() => readlinkSync("/proc/self/ns/pid"))].join("/");
}
