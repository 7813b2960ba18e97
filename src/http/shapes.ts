import { z } from "@hono/zod-openapi";
import { Definition } from "../runs/definition.ts";
import { RunEvent as EventView, RestartPlan as PlanView, RunView, TaskCounts } from "../runs/view.ts";

/**
 * The shapes of answers, named for the API's description. The domain's own schemas are the source of all that it knows;
 * clones of them, since `openapi` only exists on schemas that were made after the library was loaded.
 */
export const Run = RunView.clone().openapi("Run");
export const RunEvent = EventView.clone().openapi("Event");
export const RestartPlan = PlanView.clone().openapi("Plan");

/** A run in a list: without tasks, but with how many there are of each status. */
export const RunSummary = z
  .object({
    ...RunView.pick({
      id: true,
      number: true,
      group: true,
      name: true,
      phase: true,
      result: true,
      reason: true,
      createdAt: true,
      startedAt: true,
      finishedAt: true,
      archived: true,
      restartOf: true,
      annotations: true,
    }).shape,
    taskCounts: TaskCounts,
  })
  .openapi("RunSummary");
export type RunSummary = z.infer<typeof RunSummary>;

export const NextCursor = z.string().nullable().openapi({ description: "Send it as `cursor` to get the next page; null on the last one." });

export const RunList = z.object({
  runs: z.array(RunSummary),
  nextCursor: NextCursor,
  partial: z.boolean().optional().openapi({ description: "True while the index is being built: older runs may be missing." }),
});

export const GroupList = z.object({
  groups: z.array(z.object({ path: z.string(), lastRun: RunSummary.nullable() })),
  nextCursor: NextCursor,
  partial: z.boolean().optional(),
});

export const SetupCheck = z.object({
  setupErrors: z.array(z.string()),
  locations: z.array(z.object({ path: z.string(), message: z.string() })),
});

/** A definition as it is shown: secrets are `***`. */
export const ShownDefinition = Definition.clone().openapi("Definition");

export const EventPage = z.object({ events: z.array(RunEvent), nextCursor: z.string().nullable() });
