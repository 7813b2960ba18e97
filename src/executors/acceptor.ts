import type { RedisConnection } from "../redis/connection.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import { acceptAssignments, type Verdict } from "../redis/scripts/accept-assignments.ts";
import type { Refusal } from "../redis/scripts/incarnation-reply.ts";
import { createBatcher } from "./batcher.ts";

const maxAssignments = 500;

export interface AcceptorOptions {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly executor: string;
  readonly incarnation: string;
  readonly confirm: Confirm;
  readonly onRefused: (why: Refusal) => void;
  /** `asked` (ms, this host's clock) is when the acceptance was sent. */
  readonly onVerdict: (assignment: string, verdict: Verdict, asked: number) => void;
}

/** Takes assignments on, many with one call; those under way are not asked for again. */
export function createAcceptor(options: AcceptorOptions): { readonly accept: (assignment: string) => Promise<void> } {
  const underWay = new Map<string, Promise<void>>();
  /** Asked for by this process without an answer: if they are held then, it is this process that holds them. */
  const unanswered = new Set<string>();

  const batcher = createBatcher<string>(maxAssignments, async (assignments) => {
    const asked = Date.now();
    const before = assignments.map((assignment) => unanswered.has(assignment));
    for (const assignment of assignments) unanswered.add(assignment);
    const reply = await acceptAssignments(options.redis, options.keys, { ...options, assignments });
    await options.confirm();
    for (const assignment of assignments) unanswered.delete(assignment);
    if (reply.type !== "accepted") {
      options.onRefused(reply.type);
      return;
    }
    for (const [index, assignment] of assignments.entries()) {
      const verdict = reply.verdicts[index] ?? "refused";
      options.onVerdict(assignment, verdict === "held" && before[index] ? "accepted" : verdict, asked);
    }
  });

  return {
    accept: (assignment) => {
      const known = underWay.get(assignment);
      if (known) return known;
      const done = batcher.add(assignment).finally(() => underWay.delete(assignment));
      underWay.set(assignment, done);
      return done;
    },
  };
}
