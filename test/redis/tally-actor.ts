import { z } from "zod";
import type { Actor, Effect } from "../../src/actors/actor.ts";
import { createHost, type Host } from "../../src/actors/host.ts";

const TallyMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("add"), amount: z.number() }),
  /** Adds here, and passes the same on to the group `to`. */
  z.object({ type: z.literal("relay"), amount: z.number(), to: z.string() }),
  /** Passes the amount on to many groups. */
  z.object({ type: z.literal("fan"), amount: z.number(), to: z.array(z.string()) }),
  z.object({ type: z.literal("alarm"), at: z.number() }),
  z.object({ type: z.literal("refuse") }),
  z.object({ type: z.literal("throw") }),
  z.object({ type: z.literal("declare-lost"), executor: z.string() }),
  z.object({ type: z.literal("remove"), executor: z.string() }),
  z.object({ type: z.literal("tick") }),
  z.object({ type: z.literal("taken-over") }),
]);
type TallyMessage = z.infer<typeof TallyMessage>;

interface Tally {
  readonly sum: number;
  readonly ticks: number;
  readonly alarm: number | null;
}

type Change = Partial<Tally>;

function decide(
  state: Tally,
  message: TallyMessage,
): { changes: Change[]; effects: Effect[]; reply?: { ok: false; code: string; message: string } } {
  switch (message.type) {
    case "add":
      return { changes: [{ sum: state.sum + message.amount }], effects: [] };
    case "relay": {
      const onward = { type: "add", amount: message.amount };
      return {
        changes: [{ sum: state.sum + message.amount }],
        effects: [{ type: "send", to: { kind: "root-group", id: message.to }, message: onward }],
      };
    }
    case "fan": {
      const onward = { type: "add", amount: message.amount };
      return { changes: [], effects: message.to.map((id) => ({ type: "send", to: { kind: "root-group", id }, message: onward })) };
    }
    case "alarm":
      return { changes: [{ alarm: message.at }], effects: [] };
    case "refuse":
      return { changes: [], effects: [], reply: { ok: false, code: "conflict", message: "no" } };
    case "throw":
      throw new Error("a bug in decide");
    case "declare-lost":
      return { changes: [{ sum: state.sum + 1 }], effects: [{ type: "executor-lost", executor: message.executor }] };
    case "remove":
      return { changes: [], effects: [{ type: "executor-removed", executor: message.executor, incarnation: "i" }] };
    case "tick":
      return { changes: [{ ticks: state.ticks + 1, alarm: null }], effects: [] };
    case "taken-over":
      return { changes: [], effects: [] };
  }
}

const initial: Tally = { sum: 0, ticks: 0, alarm: null };

const tally: Actor<Tally, TallyMessage, Change> = {
  kind: "root-group",
  parseMessage: (raw) => TallyMessage.parse(raw),
  decide,
  apply: (state, change) => ({ ...state, ...change }),
  deadline: (state) => state.alarm ?? undefined,
  parts: () => [],
  decode: (_, stored) => (stored.state === null ? initial : { ...initial, ...JSON.parse(stored.state) }),
  encode: (_, state) => ({ state: JSON.stringify(state), hashes: [] }),
};

/** A real actor that adds up what it is told, in the place of root groups: the loop is tested without the domain. */
export const tallyHosts: ReadonlyMap<string, Host> = new Map([["root-group", createHost(tally)]]);
