import { z } from "zod";

/** Why a script refuses an executor: replaced by another process, declared lost, or without a record. */
export const Refusal = z.enum(["superseded", "lost", "unknown"]);
export type Refusal = z.infer<typeof Refusal>;

/** How every executor script answers one whose incarnation is not current. */
export const refused = z.tuple([Refusal, z.number()]).transform(([type, now]) => ({ type, now }));
