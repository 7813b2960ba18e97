import { z } from "zod";
import { ExecutorLife } from "../executor/description.ts";

const Member = z.object({
  pool: z.string(),
  incarnation: z.string(),
  life: ExecutorLife,
  /** The lost incarnation whose pods may still be there. */
  unproven: z.string().optional(),
  /** Who proved them gone, and when the executor's actor is told once more (ms); kept until that says so itself. */
  proof: z.object({ incarnation: z.string(), by: z.string(), remindAt: z.number() }).optional(),
});
export type Member = z.infer<typeof Member>;

export const StoredExecutorGroup = z.object({ v: z.literal(1), members: z.record(z.string(), Member) });

/** The executors that see the same pods, as their actors last described them. */
export interface ExecutorGroupState {
  readonly id: string;
  readonly members: Readonly<Record<string, Member>>;
}

export type ExecutorGroupChange =
  | { readonly type: "member-set"; readonly executor: string; readonly member: Member }
  | { readonly type: "member-removed"; readonly executor: string };

/** The other members of an executor's group, in order of their ids. */
export function siblings({ members }: ExecutorGroupState, executor: string): readonly string[] {
  return Object.keys(members)
    .filter((id) => id !== executor)
    .sort();
}

/** The group of an executor: members that are not lost, and owners of pods that may still be there. */
export function group({ members }: ExecutorGroupState): readonly string[] {
  return Object.entries(members)
    .filter(([, { life, unproven }]) => life !== "lost" || unproven !== undefined)
    .map(([id]) => id)
    .sort();
}

/** Lost incarnations whose pods must go, with the living members that can see to it. */
export function leftovers({ members }: ExecutorGroupState): readonly Leftover[] {
  const living = Object.entries(members).filter(([, { life }]) => life !== "lost");
  return Object.entries(members).flatMap(([executor, { unproven }]) =>
    unproven === undefined ? [] : [{ executor, incarnation: unproven, cleaners: living.map(([id]) => id).sort() }],
  );
}

export interface Leftover {
  readonly executor: string;
  readonly incarnation: string;
  readonly cleaners: readonly string[];
}
