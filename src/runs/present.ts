import type { Environment } from "./environment.ts";
import { presentTask } from "./present-task.ts";
import { refuseRestart } from "./restart.ts";
import type { Run } from "./run.ts";
import { mapEnvironment } from "./secrets.ts";
import { timeOf } from "./time.ts";
import type { RunView, ShownEnvironment, TaskView } from "./view.ts";
import { whyRunWaits } from "./waiting.ts";
import { unknownContext, type WaitingContext } from "./waiting-context.ts";

/** A run as every answer shows it. Secrets are masked. */
export function presentRun(run: Run, context: WaitingContext = unknownContext): RunView {
  const { stored, facts, head, graph } = run;
  const { definition } = stored;
  const tasks: Record<string, TaskView> = {};
  for (const node of graph.tasks) tasks[node.name] = presentTask(run, node, context);
  return {
    id: facts.id,
    number: facts.number,
    group: facts.group,
    name: facts.name,
    phase: head.phase,
    result: head.result,
    reason: head.reason ?? null,
    stopping: head.stop !== undefined && head.phase === "running",
    priority: definition.priority ?? 0,
    createdAt: timeOf(facts.createdAt),
    startedAt: timeOf(head.startedAt),
    finishedAt: timeOf(head.finishedAt),
    archived: false,
    restartOf: stored.restart?.of ?? null,
    setupErrors: facts.setupErrors ?? [],
    annotations: definition.annotations ?? {},
    environment: presentEnvironment(definition.environment),
    staticEnvironment: presentEnvironment(definition.staticEnvironment),
    waitingReason: whyRunWaits(run, context),
    timedOut: head.timedOut ?? false,
    quarantined: head.quarantine !== undefined,
    canRestartFromScratch: refuseRestart(head, false) === undefined,
    canRestartFromFailed: refuseRestart(head, true) === undefined,
    tasks,
  };
}

function presentEnvironment(environment: Environment = {}): ShownEnvironment {
  const masked = mapEnvironment(environment, () => "***");
  return Object.fromEntries(Object.entries(masked).map(([name, value]) => [name, typeof value === "string" ? value : { secret: "***" }]));
}
