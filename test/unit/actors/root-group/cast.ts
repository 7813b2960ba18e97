import type { Effect } from "../../../../src/actors/actor.ts";
import { createRootGroupActor } from "../../../../src/actors/root-group/actor.ts";
import type { RootGroupMessage } from "../../../../src/actors/root-group/messages.ts";
import { createKeys } from "../../../../src/redis/keys.ts";
import { createStage, mailOf } from "../stage.ts";

type Enqueue = Extract<RootGroupMessage, { type: "enqueue" }>;

export const rootGroup = createRootGroupActor({ keys: createKeys("{test}") });

export const stageRootGroup = () => createStage(rootGroup, "/project/web");

/** Without options it has no key. Runs are created in the order of their names. */
export function enqueue(run: string, options: Partial<Enqueue> = {}): Enqueue {
  return { type: "enqueue", run, priority: 0, createdAt: run.charCodeAt(0), queueTimeoutMs: 1e9, ...options };
}

export function underKey(run: string, policy: "queue" | "cancel-queued" | "cancel-running" = "queue", limit = 1): Enqueue {
  return enqueue(run, { concurrency: { key: "deploy", limit, policy } });
}

/** What the runs are told: `start a`, `cancel b superseded`. */
export function told(effects: readonly Effect[]): readonly string[] {
  return mailOf(effects).map(({ to, message }) => {
    if (typeof message !== "object" || message === null || !("type" in message)) return "?";
    const reason = "reason" in message ? ` ${message.reason}` : "";
    return `${message.type} ${to.slice("run/".length)}${reason}`;
  });
}
