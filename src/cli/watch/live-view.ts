import type { RunView } from "../../runs/view.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal.ts";
import { paintFor } from "../text/colour.ts";
import { durationText } from "../text/time.ts";
import { truncate } from "../text/width.ts";
import { frameLines } from "./frame.ts";
import { hideCursor, redraw, showCursor } from "./redraw.ts";
import type { View } from "./view.ts";

/** Durations count seconds. */
const tickMs = 1_000;
/** The last state is scrolled rather than cut, unless it is endless. */
const mostLastRows = 500;

export interface LiveViewInput {
  readonly session: Session;
  readonly output: Output;
  readonly reference: string;
}

/** The run as a tree that is redrawn in place. */
export function createLiveView({ session, output, reference }: LiveViewInput): View {
  const now = () => session.shell.now() + session.client.clockSkewMs();
  const paint = paintFor(output);
  let run: RunView | undefined;
  let drawn: readonly string[] = [];
  let lost: { readonly sinceMs: number; readonly why: string } | undefined;
  let isClosed = false;

  function draw(rows: number): void {
    if (!run) return;
    const columns = output.columns ?? 80;
    const note = lost ? [paint("yellow", truncate(noteOf(lost, now()), columns))] : [];
    const lines = frameLines({ run, reference, nowMs: now(), columns, rows: rows - note.length, paint });
    output.write(redraw(drawn, [...lines, ...note], columns));
    drawn = [...lines, ...note];
  }
  const redrawNow = () => draw(output.rows ?? 24);

  const timer = setInterval(redrawNow, tickMs);
  output.on("resize", redrawNow);
  output.write(hideCursor);
  return {
    onChange: (changed) => {
      run = changed;
      redrawNow();
    },
    onLost: (error) => {
      lost ??= { sinceMs: now(), why: error.message };
      redrawNow();
    },
    onFound: () => {
      lost = undefined;
      redrawNow();
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      output.removeListener("resize", redrawNow);
      lost = undefined;
      const size = Object.keys(run?.tasks ?? {}).length;
      draw(size > mostLastRows ? (output.rows ?? 24) : Number.POSITIVE_INFINITY);
      output.write(showCursor);
    },
  };
}

function noteOf({ sinceMs, why }: { readonly sinceMs: number; readonly why: string }, nowMs: number): string {
  return `no contact for ${durationText(nowMs - sinceMs)} (${why}); trying again`;
}
