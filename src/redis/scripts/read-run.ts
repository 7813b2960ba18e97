import { z } from "zod";
import { parseRunId } from "../../ids.ts";
import { defineScript } from "../define-script.ts";

export type RunReading =
  | {
      readonly type: "live";
      /** Fields of `run:<id>`. */
      readonly facts: Readonly<Record<string, string>>;
      /** The run actor's state; null until its owner has taken note of the run. */
      readonly state: string | null;
      /** Task index -> state, for big runs. */
      readonly tasks: Readonly<Record<string, string>>;
      readonly now: number;
      /** As `encodeDefinition` made it; undefined unless asked for. */
      readonly definition: string | undefined;
    }
  | { readonly type: "archived" }
  | { readonly type: "unknown" };

/** `["a", "1", "b", "2"]` as an object without a prototype, so that no field name can be special. */
const flatRecord = z.array(z.string()).transform((flat): Readonly<Record<string, string>> => {
  const record: Record<string, string> = Object.create(null);
  for (let i = 0; i + 1 < flat.length; i += 2) record[flat[i] ?? ""] = flat[i + 1] ?? "";
  return record;
});

/** What Redis knows of a run. The run's id must be well-formed (`parseRunId`). */
export const readRun = defineScript<{ readonly runId: string; readonly definition: boolean }, RunReading>({
  file: new URL("./read-run.lua", import.meta.url),
  keys: ({ runId }, keys) => [keys.run(runId), keys.runDefinition(runId), keys.runTasks(runId), keys.state(parseRunId(runId)?.shard ?? 0)],
  args: ({ runId, definition }) => [`run/${runId}`, definition ? "1" : ""],
  reply: z.union([
    z
      .tuple([z.literal("live"), flatRecord, z.string(), flatRecord, z.number(), z.string()])
      .transform(([type, facts, state, tasks, now, definition]) => ({
        type,
        facts,
        state: state === "" ? null : state,
        tasks,
        now,
        definition: definition === "" ? undefined : definition,
      })),
    z.tuple([z.enum(["archived", "unknown"])]).transform(([type]) => ({ type })),
  ]),
});
