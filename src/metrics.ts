import { AggregatorRegistry, Counter, Gauge, Histogram, type MetricObject, Registry } from "prom-client";
import type { RunEvent } from "./runs/view.ts";

/** From one hop to a day: what a task may wait for, and how long it may take. */
const longSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 86_400];
/** From a commit on an idle machine to one that nearly cost the lease. */
const shortSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const batchSizes = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

/** What one process counts: plain functions, so that nobody else knows the library. */
export interface Metrics {
  readonly registry: Registry;
  readonly http: {
    readonly answered: (answer: {
      readonly method: string;
      readonly route: string;
      readonly status: number;
      readonly seconds: number;
    }) => void;
    /** Event streams that clients follow right now. */
    readonly streamsOpen: (count: number) => void;
  };
  readonly runs: {
    /** Events of the installation. Counted by the api role, which sees all of them, and not published: adding up would count them twice. */
    readonly happened: (events: readonly RunEvent[]) => void;
  };
  readonly owner: {
    readonly committed: (batch: { readonly letters: number; readonly shards: number; readonly ms: number }) => void;
    /** A batch that was given up; `why` is for people, and counted under one of a few words. */
    readonly abandoned: (why: string) => void;
    readonly tookOver: () => void;
    readonly deadLetter: () => void;
  };
  readonly executor: {
    readonly heartbeat: (beat: { readonly answered: boolean; readonly seconds: number }) => void;
    readonly orphanRemoved: () => void;
    /** A step's log has ended; `complete` is false if some of it is lost, or object storage did not take it in time. */
    readonly logEnded: (log: { readonly size: number; readonly complete: boolean }) => void;
  };
  readonly ost: {
    readonly request: (request: { readonly operation: string; readonly failed: boolean; readonly seconds: number }) => void;
  };
  readonly archive: {
    /** A run was written to object storage, with the attempts of its tasks. */
    readonly archived: (attempts: readonly AttemptTimes[]) => void;
    readonly failed: () => void;
  };
}

/** When (ms) an attempt came from one stage to the next; a stage that it never reached is absent. */
export interface AttemptTimes {
  readonly queuedAt: number;
  readonly assignedAt?: number;
  readonly startedAt?: number;
  readonly finishedAt: number;
}

/** Declares every metric that a process counts by itself. To add one: here, with its function. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `ostler_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, buckets: number[], labelNames: readonly Label[] = []) =>
    new Histogram({ name: `ostler_${name}`, help, labelNames, buckets, registers });
  const gauge = (name: string, help: string) => new Gauge({ name: `ostler_${name}`, help, registers });

  const requests = histogram("http_request_seconds", "Time to answer a request, by route.", shortSeconds, ["method", "route", "status"]);
  const streams = gauge("http_streams", "Event streams that clients follow right now.");

  const runChanges = counter("run_changes_total", "Changes of runs, by the phase and result they led to.", ["phase", "result"]);
  const taskChanges = counter("task_changes_total", "Changes of tasks, by the status they led to.", ["status"]);
  const attempts = counter("attempts_total", "Ends of attempts, by phase and reason.", ["phase", "reason"]);

  const commitSeconds = histogram("commit_seconds", "Time of a commit, from sending it to its answer.", shortSeconds);
  const commitLetters = histogram("commit_letters", "Messages that one commit decided.", batchSizes);
  const commitShards = histogram("commit_shards", "Shards that one commit touched.", [1, 2, 4, 8, 16]);
  const abandoned = counter("commits_abandoned_total", "Batches whose commit was refused: a lost lease or a broken chain.", ["why"]);
  const takeOvers = counter("shard_take_overs_total", "Shards that this process took over.");
  const deadLetters = counter("dead_letters_total", "Messages put aside because deciding them failed: a human is needed.");

  const heartbeats = histogram("heartbeat_seconds", "Time of an executor's heartbeat.", shortSeconds, ["answered"]);
  const orphans = counter("orphans_removed_total", "Pods removed that no living executor owned.");
  const logBytes = counter("log_bytes_total", "Bytes of logs that executors have brought to their end.");
  const logsIncomplete = counter("logs_incomplete_total", "Logs that lack bytes, or that object storage did not take in time.");

  const ostSeconds = histogram("ost_request_seconds", "Time of a request to object storage.", shortSeconds, ["operation", "failed"]);
  const stages = histogram(
    "attempt_seconds",
    "Time of an attempt, by stage: queue (until an executor is found), start (accepted, image and pod), run. Observed when its run is archived.",
    longSeconds,
    ["stage"],
  );
  const archivedRuns = counter("runs_archived_total", "Runs written to object storage.");
  const archiveFailures = counter("archive_failures_total", "Archive jobs that failed and are tried again.");

  const countEvent = (event: RunEvent) => {
    switch (event.type) {
      case "run":
        return runChanges.inc({ phase: event.phase, result: event.result });
      case "task":
        return taskChanges.inc({ status: event.status });
      case "attempt":
        if (event.phase !== "running") attempts.inc({ phase: event.phase, reason: event.reason ?? "none" });
    }
  };

  return {
    registry,
    http: {
      answered: ({ method, route, status, seconds }) => requests.observe({ method, route, status: String(status) }, seconds),
      streamsOpen: (count) => streams.set(count),
    },
    runs: { happened: (events) => events.forEach(countEvent) },
    owner: {
      committed: ({ letters, shards, ms }) => {
        commitSeconds.observe(ms / 1000);
        commitLetters.observe(letters);
        commitShards.observe(shards);
      },
      abandoned: (why) => abandoned.inc({ why: whyAbandoned(why) }),
      tookOver: () => takeOvers.inc(),
      deadLetter: () => deadLetters.inc(),
    },
    executor: {
      heartbeat: ({ answered, seconds }) => heartbeats.observe({ answered: String(answered) }, seconds),
      orphanRemoved: () => orphans.inc(),
      logEnded: ({ size, complete }) => {
        logBytes.inc(size);
        if (!complete) logsIncomplete.inc();
      },
    },
    ost: { request: ({ operation, failed, seconds }) => ostSeconds.observe({ operation, failed: String(failed) }, seconds) },
    archive: {
      archived: (attempts) => {
        archivedRuns.inc();
        for (const { queuedAt, assignedAt, startedAt, finishedAt } of attempts) {
          stages.observe({ stage: "queue" }, ((assignedAt ?? finishedAt) - queuedAt) / 1000);
          if (assignedAt !== undefined) stages.observe({ stage: "start" }, ((startedAt ?? finishedAt) - assignedAt) / 1000);
          if (startedAt !== undefined) stages.observe({ stage: "run" }, (finishedAt - startedAt) / 1000);
        }
      },
      failed: () => archiveFailures.inc(),
    },
  };
}

/** Sentences hold shard numbers and errors' texts, which would make a label without bounds. */
function whyAbandoned(why: string): string {
  if (why.includes("refused: lost")) return "lost_lease";
  if (why.includes("refused: broken")) return "broken_chain";
  return why.includes("executor came back") ? "executor_back" : "other";
}

/** What is read anew for every scrape, by one process for the whole installation. */
export interface InstallationGauges {
  readonly registry: Registry;
  readonly runs: Gauge<"phase">;
  readonly executors: Gauge<"pool" | "state">;
  readonly tasksWaiting: Gauge<"pool" | "reason">;
  readonly oldestWait: Gauge<"pool">;
  readonly slots: Gauge<"pool" | "use">;
  readonly memoryShare: Gauge;
  readonly inboxEntries: Gauge;
  readonly archiveBacklog: Gauge;
  readonly queueJobs: Gauge<"queue" | "state">;
  readonly failures: Gauge;
}

/** Declares what `http/scrape.ts` reads, empty. */
export function createInstallationGauges(): InstallationGauges {
  const registry = new Registry();
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `ostler_${name}`, help, labelNames, registers: [registry] });
  return {
    registry,
    runs: gauge("runs", "Runs that have not ended, by phase.", ["phase"]),
    executors: gauge("executors", "Executors by pool and state.", ["pool", "state"]),
    tasksWaiting: gauge("tasks_waiting", "Tasks that wait for an executor, by pool and by why.", ["pool", "reason"]),
    oldestWait: gauge("task_oldest_wait_seconds", "How long the first of them has waited.", ["pool"]),
    slots: gauge("pool_slots", "Tasks that the active executors of a pool can run (`limit`) and that it runs (`busy`) at once.", [
      "pool",
      "use",
    ]),
    memoryShare: gauge(
      "redis_memory_share",
      "Redis's used memory as a share of `maxmemory`; 0 without one. New runs are refused above 0.75.",
    ),
    inboxEntries: gauge("inbox_entries", "Entries of all inboxes that no commit has consumed yet."),
    archiveBacklog: gauge("archive_backlog", "Jobs of the archive queue that wait."),
    queueJobs: gauge("queue_jobs", "BullMQ's jobs by queue and state.", ["queue", "state"]),
    failures: gauge("scrape_failures", "Parts of this scrape that could not be read."),
  };
}

/** What processes have counted, added up. */
export async function mergeMetrics(published: readonly (readonly MetricObject[])[]): Promise<string> {
  return AggregatorRegistry.aggregate(published.map((metrics) => [...metrics])).metrics();
}
