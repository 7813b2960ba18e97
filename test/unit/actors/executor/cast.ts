import type { Effect } from "../../../../src/actors/actor.ts";
import { createExecutorActor } from "../../../../src/actors/executor/actor.ts";
import type { ExecutorMessage } from "../../../../src/actors/executor/messages.ts";
import { createStage, mailOf } from "../stage.ts";

export const executor = createExecutorActor();

export const stageExecutor = () => createStage(executor, "a");

export const ttlMs = 20_000;
export const fenceMs = 600_000;

export function registered(incarnation: string, { dynamic = false, group = "host" } = {}): ExecutorMessage {
  const description = {
    ...{ id: "a", pool: "default", group, driver: "process", archs: ["amd64"], labels: {}, taskLimit: 2 },
    ...{ allowPrivileged: false, dynamic, version: "1" },
  };
  return { type: "registered", incarnation, description, ttlMs, fenceMs };
}

export const alive = (incarnation: string) => ({ type: "observed", alive: true, incarnation }) as const;
export const absent = { type: "observed", alive: false, incarnation: "" } as const;

/** What is told and done, in order, in one line each. */
export function said(effects: readonly Effect[]): readonly string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case "send": {
        const [{ to, message } = { to: "?", message: {} }] = mailOf([effect]);
        return `${to} ${wordsOf(message)}`;
      }
      case "executor-record":
        return `record ${Object.entries(effect.fields)
          .map(([field, value]) => `${field}=${value}`)
          .join(" ")}`;
      default:
        return effect.type;
    }
  });
}

function wordsOf(message: unknown): string {
  if (typeof message !== "object" || message === null) return "?";
  const wanted = ["type", "incarnation", "life", "unproven"];
  return Object.entries(message)
    .filter(([name]) => wanted.includes(name))
    .sort(([a], [b]) => wanted.indexOf(a) - wanted.indexOf(b))
    .map(([name, value]) => (name === "unproven" ? `unproven ${value}` : String(value)))
    .join(" ");
}
