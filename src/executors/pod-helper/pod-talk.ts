import { PodError } from "../driver.ts";
import { createEndWatch, type EndHold } from "./end-watch.ts";
import type { PodEnd } from "./main-command.ts";
import type { ExecStream, PodExec } from "./pod-exec.ts";
import { scriptCommand, scriptCommandAs, scripts } from "./script.ts";

const firstPauseMs = 50;
const maxPauseMs = 2_000;
/** The last line of every complete answer. */
const answerEnd = "ostler-answered";

export interface PodTalkOptions {
  readonly exec: PodExec;
  readonly watchEnd: (signal: AbortSignal) => Promise<PodEnd>;
  /** A pod that does not hear from its executor for so long stops its steps by itself, so nobody need wait for it any longer. */
  readonly fenceMs: number;
  readonly users?: { readonly step: string; readonly supervisor: string };
  /** Whom the container runs as, if that is known. */
  readonly containerUser?: string;
}

/** Whom a script runs as: `supervisor` may signal everybody; `step` is whom files belong to; or by name. */
export type Actor = "supervisor" | "step" | { readonly user: string };

/** What the helper's shell is given, and what that reads from its stdin. */
export type Script = string | { readonly text: string; readonly stdin: Uint8Array };

const nothing = new Uint8Array();

/** Scripts in the pod, and the patience that connections take. */
export interface PodTalk {
  /** Begins a script once; `signal` ends the connection. */
  readonly open: (actor: Actor, script: Script, signal: AbortSignal) => Promise<ExecStream>;
  /**
   * What the script prints on stdout, whole: it is run again as often as the connection drops, so it must be idempotent.
   * Throws PodError if the pod is over, or if the script says `refused REASON MESSAGE` on stderr.
   */
  readonly ask: (actor: Actor, script: Script | (() => Script), signal: AbortSignal) => Promise<Buffer>;
  /** Does `work` until it gives something but undefined or throws PodError; other faults, and drops, are waited out. */
  readonly persist: <T>(signal: AbortSignal, work: (hold: EndHold) => Promise<T | undefined>) => Promise<T>;
  readonly hold: (signal: AbortSignal) => EndHold;
  readonly patience: () => Patience;
}

export function createPodTalk({ exec, watchEnd, fenceMs, users, containerUser }: PodTalkOptions): PodTalk {
  const watch = createEndWatch(watchEnd);

  const open: PodTalk["open"] = async (actor, script, signal) => {
    const { text, stdin } = typeof script === "string" ? { text: script, stdin: nothing } : script;
    const whole = scripts.pod + scripts.ready + text;
    const user = typeof actor === "string" ? undefined : actor.user;
    const isSwitched = !users && user !== undefined && user !== containerUser;
    const { command, input } = isSwitched ? scriptCommandAs(user, whole) : scriptCommand(whole);
    const request = { command, input: Buffer.concat([input, stdin]) };
    if (!users) return exec.open(request, signal);
    return exec.open({ ...request, user: user ?? users[actor === "supervisor" ? "supervisor" : "step"] }, signal);
  };

  const persist: PodTalk["persist"] = async (signal, work) => {
    const hold = watch.hold(signal);
    const patience = createPatience(fenceMs);
    try {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
        hold.throwIfOver();
        const done = await work(hold).catch((error: unknown) => {
          signal.throwIfAborted();
          if (error instanceof PodError) throw error;
          patience.lose(error);
          return undefined;
        });
        if (done !== undefined) return done;
        await hold.pause(pauseMs);
      }
    } finally {
      hold.release();
    }
  };

  return {
    open,
    persist,
    hold: watch.hold,
    patience: () => createPatience(fenceMs),
    ask: (actor, script, signal) =>
      persist(signal, async ({ signal: waiting }) => {
        const given = typeof script === "function" ? script() : script;
        const { text, stdin } = typeof given === "string" ? { text: given, stdin: nothing } : given;
        const stream = await open(actor, { text: `${text}\necho ${answerEnd}\n`, stdin }, waiting);
        try {
          return await readAnswer(stream, waiting);
        } finally {
          stream.close();
        }
      }),
  };
}

/** How long faults of one kind or another may follow each other. */
export interface Patience {
  /** Throws PodError `pod_lost` if the pod has not been reached for `limitMs`. */
  readonly lose: (error: unknown) => void;
  readonly regain: () => void;
}

export function createPatience(limitMs: number): Patience {
  let since = performance.now();
  return {
    lose: (error) => {
      if (performance.now() - since < limitMs) return;
      const why = error instanceof Error ? error.message : String(error);
      throw new PodError("pod_lost", `the pod could not be reached for ${Math.round(limitMs / 1000)} s: ${why}`, { cause: error });
    },
    regain: () => {
      since = performance.now();
    },
  };
}

/** Undefined if the answer is not whole. */
async function readAnswer(stream: ExecStream, signal: AbortSignal): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let complaint = "";
  const close = () => stream.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    for await (const { channel, bytes } of stream.chunks) {
      signal.throwIfAborted();
      if (channel === "stdout") parts.push(bytes);
      else complaint += Buffer.from(bytes).toString();
      if (channel === "stdout" && endsAnswer(bytes, parts)) break;
    }
  } finally {
    signal.removeEventListener("abort", close);
  }
  throwIfRefused(complaint);
  const text = Buffer.concat(parts);
  const end = Buffer.from(`${answerEnd}\n`);
  return text.subarray(-end.length).equals(end) ? text.subarray(0, -end.length) : undefined;
}

/** A cheap look, so that an answer need not wait for the connection's end. */
function endsAnswer(last: Uint8Array, parts: readonly Uint8Array[]): boolean {
  const tail = last.length > answerEnd.length ? last : Buffer.concat(parts.slice(-4));
  return Buffer.from(tail.subarray(-answerEnd.length - 1)).equals(Buffer.from(`${answerEnd}\n`));
}

/** A line `refused REASON MESSAGE`, or what `su` says of a user that it does not know. */
export function throwIfRefused(complaint: string): void {
  const refused = /^refused (config|setup) (.*)$/m.exec(complaint);
  if (refused) throw new PodError(refused[1] === "config" ? "config" : "setup", refused[2] ?? "");
  const unknown = /^su: (.*)$/m.exec(complaint);
  if (unknown) throw new PodError("config", `the step's user cannot be switched to: ${unknown[1]}`);
}
