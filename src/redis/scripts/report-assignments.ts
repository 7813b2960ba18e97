import { z } from "zod";
import { defineScript } from "../define-script.ts";
import { refused } from "./incarnation-reply.ts";

export interface ReportBatch {
  readonly executor: string;
  readonly incarnation: string;
  /** Letters (as JSON texts) by the shard of their runs; each shard gets one inbox entry. */
  readonly mail: ReadonlyMap<number, readonly string[]>;
}

/** Delivers reports to the runs' inboxes, all or none. Repeating is harmless: a run ignores what it was told before. */
export const reportAssignments = defineScript({
  file: new URL("./report-assignments.lua", import.meta.url),
  keys: ({ executor, mail }: ReportBatch, keys) => [keys.executor(executor), ...[...mail.keys()].map(keys.inbox)],
  args: ({ incarnation, mail }) => [incarnation, ...[...mail.values()].map((letters) => `[${letters.join(",")}]`)],
  reply: z.union([z.tuple([z.literal("reported"), z.number()]).transform(([type, now]) => ({ type, now })), refused]),
});
