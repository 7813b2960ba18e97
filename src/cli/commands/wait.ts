import type { Command } from "commander";
import { durationForm, parseDuration } from "../../duration.ts";
import type { RunView } from "../../runs/view.ts";
import { contactTalk } from "../contact.ts";
import { exitCode, exitCodeOfRun, worstExitCode } from "../exit-code.ts";
import { Failure, usage } from "../failure.ts";
import { findRun } from "../find-run.ts";
import type { Open } from "../open.ts";
import { referenceOf } from "../reference-text.ts";
import type { Session } from "../session.ts";
import { dataText } from "../show.ts";
import { runWord } from "../words.ts";

export function configure(command: Command, open: Open): void {
  command
    .argument("<run...>", "RUN, or several")
    .option("--timeout <duration>", "wait no longer (exit code 6); such as 90s or 2h")
    .addHelpText("after", "\nOf several runs the worst fate counts: failed, then setup error, then stopped or cancelled.")
    .action(async (texts: readonly string[], { timeout }: { readonly timeout?: string }) => {
      const session = open();
      const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
      if (timeout !== undefined && timeoutMs === undefined) throw usage(`--timeout ${timeout}: expected ${durationForm}`);
      const runs = await Promise.all(texts.map((text) => findRun(session, text)));
      const ended = await waitForAll(session, runs, timeoutMs);
      const { format, print } = session;
      if (format === "json" || format === "yaml") print(await dataText(format, ended));
      open.exitWith(worstExitCode(ended.map(exitCodeOfRun)));
    });
}

async function waitForAll(session: Session, runs: readonly RunView[], timeoutMs: number | undefined): Promise<readonly RunView[]> {
  const limit = new AbortController();
  const signal = AbortSignal.any([session.signal, limit.signal]);
  const waiting = new Map(runs.map((run) => [run.id, referenceOf(run)]));
  const late = () => new Failure(`not over yet: ${[...waiting.values()].join(", ")}`, { exitCode: exitCode.timeout });
  // A timer holds at most 24.8 days; nobody waits longer.
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => limit.abort(late()), Math.min(timeoutMs, 2 ** 31 - 1));
  try {
    return await Promise.all(
      runs.map(async (run) => {
        const ended = await waitForOne(session, run.id, signal);
        waiting.delete(run.id);
        if (session.format === "table") session.print(`${referenceOf(ended)}  ${runWord(ended)}`);
        if (session.format === "name") session.print(ended.id);
        return ended;
      }),
    );
  } finally {
    clearTimeout(timer);
    limit.abort();
  }
}

async function waitForOne(session: Session, id: string, signal: AbortSignal): Promise<RunView> {
  const { client } = session;
  for await (const _ of client.runs.events(id, { signal, ...contactTalk(session) })) {
    // The stream's end is what we wait for.
  }
  return client.runs.get(id, signal);
}
