import { z } from "zod";
import { parseRunId, rootOf } from "../../ids.ts";
import { defineScript } from "../define-script.ts";

export interface NewRun {
  readonly runId: string;
  readonly group: string;
  /** The history id that this process was told when it last checked the installation. */
  readonly history: string;
  readonly idempotency?: { readonly principal: string; readonly key: string; readonly bodyHmac: string };
  /** `encodeDefinition` of the StoredDefinition's JSON. */
  readonly definition: string;
  /** The run's first event (seq 1). */
  readonly event: unknown;
  /** The index row without its number, which only the script knows. */
  readonly row: Readonly<Record<string, unknown>>;
  /** Fields of `run:<id>` besides `number`. */
  readonly summary: Readonly<Record<string, string>>;
  /** What the root group is told; undefined for a run that is never queued (`setuperror`). */
  readonly enqueue: Readonly<Record<string, unknown>> | undefined;
}

export type CreateReply =
  | { readonly type: "created"; readonly number: number; readonly event: string | undefined }
  | { readonly type: "existing"; readonly runId: string }
  | { readonly type: "idempotency_conflict" | "maintenance" | "history" | "stale" };

/** A create whose id is older than this is refused: a late repeat must not run anything twice. */
const maxAgeMs = 10 * 60_000;
const idempotencyMs = 24 * 60 * 60_000;

function placed(runId: string): { readonly timeMs: number; readonly shard: number } {
  const parts = parseRunId(runId);
  if (!parts) throw new Error(`not a run id: ${runId}`);
  return parts;
}

/** The JSON text of `wrap(JSON of the object with its number)`, cut in two where the number belongs. */
function cutAtNumber(object: Readonly<Record<string, unknown>>, wrap: (json: string) => string): readonly [string, string] {
  const mark = "\u0000number\u0000";
  const [before = "", after = ""] = wrap(JSON.stringify({ ...object, number: mark })).split(JSON.stringify(mark));
  return [before, after];
}

/**
 * Creates a run in one script: number, definition, summary, first event, index row and mail to the owner.
 * Idempotent by run id: repeat the same call when no answer came.
 */
export const createRun = defineScript<NewRun, CreateReply>({
  file: new URL("./create-run.lua", import.meta.url),
  keys: ({ runId, group, idempotency }, keys) => [
    keys.meta,
    keys.idempotency(idempotency?.principal ?? "", idempotency?.key ?? ""),
    keys.runNumber(rootOf(group)),
    keys.run(runId),
    keys.runDefinition(runId),
    keys.runEvents(runId),
    keys.events,
    keys.indexRows,
    keys.inbox(placed(runId).shard),
  ],
  args: (run) => {
    const row = cutAtNumber(run.row, (object) => `[${object}]`);
    const enqueue = run.enqueue ? `,${JSON.stringify([`root-group/${rootOf(run.group)}`, run.enqueue])}` : "";
    const mail = cutAtNumber({ type: "create" }, (object) => `[[${JSON.stringify(`run/${run.runId}`)},${object}]${enqueue}]`);
    return [
      run.history,
      run.runId,
      placed(run.runId).timeMs,
      maxAgeMs,
      run.idempotency?.bodyHmac ?? "",
      idempotencyMs,
      run.definition,
      JSON.stringify([run.event]),
      ...row,
      ...mail,
      ...Object.entries(run.summary).flat(),
    ];
  },
  reply: z.union([
    z
      .tuple([z.literal("created"), z.number(), z.string()])
      .transform(([type, number, event]) => ({ type, number, event: event === "" ? undefined : event })),
    z.tuple([z.literal("existing"), z.string()]).transform(([type, runId]) => ({ type, runId })),
    z.tuple([z.enum(["idempotency_conflict", "maintenance", "history", "stale"])]).transform(([type]) => ({ type })),
  ]),
});
