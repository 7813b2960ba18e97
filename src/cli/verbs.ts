import type { Command } from "commander";
import type { Open } from "./open.ts";

/** A command by its name; its module is loaded only when it is called. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<{ readonly configure: (command: Command, open: Open) => void }>;
}

const daily = "Every day:";
const objects = "Look and manage:";
export const local = "On this machine:";

/** All commands in the order of the help. To add one: an entry here and its file in commands/. */
export const verbs: readonly Verb[] = [
  { name: "run", summary: "create a run from a file", group: daily, load: () => import("./commands/run.ts") },
  { name: "watch", summary: "follow a run until it ends", group: daily, load: () => import("./commands/watch.ts") },
  { name: "wait", summary: "wait until runs have ended, and exit with their fate", group: daily, load: () => import("./commands/wait.ts") },
  { name: "logs", summary: "print logs, or follow them", group: daily, load: () => import("./commands/logs.ts") },
  { name: "why", summary: "say why something waits, failed or was skipped", group: daily, load: () => import("./commands/why.ts") },
  { name: "stop", summary: "stop a run (cancels it if it is still queued)", group: daily, load: () => import("./commands/stop.ts") },
  { name: "cancel", summary: "cancel a run (stops it if it already runs)", group: daily, load: () => import("./commands/cancel.ts") },
  { name: "approve", summary: "let a task start that waits for approval", group: daily, load: () => import("./commands/approve.ts") },
  { name: "reject", summary: "skip a task that waits for approval", group: daily, load: () => import("./commands/reject.ts") },
  { name: "restart", summary: "run a run again, as a new one", group: daily, load: () => import("./commands/restart.ts") },
  { name: "runs", summary: "list, show, delete runs; their events", group: objects, load: () => import("./commands/runs.ts") },
  { name: "groups", summary: "list groups of runs", group: objects, load: () => import("./commands/groups.ts") },
  { name: "artifacts", summary: "list and fetch what tasks have saved", group: objects, load: () => import("./commands/artifacts.ts") },
  { name: "executors", summary: "list, cordon, delete executors", group: objects, load: () => import("./commands/executors.ts") },
  {
    name: "executor-groups",
    summary: "list, show executors that see the same pods",
    group: objects,
    load: () => import("./commands/executor-groups.ts"),
  },
  { name: "pools", summary: "list, show pools: backlog and free slots", group: objects, load: () => import("./commands/pools.ts") },
  { name: "admin", summary: "look after the installation itself", group: objects, load: () => import("./commands/admin.ts") },
  { name: "lint", summary: "check files of runs without a server", group: local, load: () => import("./commands/lint.ts") },
];
