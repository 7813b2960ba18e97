import type { RunEvent, RunView } from "../../src/runs/view.ts";
import { type PlayedAnswer, type PlayedRequest, playServer, streamAnswer } from "../support/played-server.ts";

/** Answers by method and path below /api/v1; a function is asked each time, with how often it was asked before, from 1. */
export type PlayedRoutes = Readonly<Record<string, { readonly answer: (request: PlayedRequest, count: number) => PlayedAnswer }>>;

/** A route that always answers this. */
export function always(answer: PlayedAnswer) {
  return { answer: () => answer };
}

/** A route that answers these in turn, the last one for ever. */
export function inTurn(...answers: readonly PlayedAnswer[]) {
  return { answer: (_: PlayedRequest, count: number) => answers[Math.min(count, answers.length) - 1] ?? { status: 500 } };
}

/** An API that plays these routes; everything else is a 404. */
export async function playApi(routes: PlayedRoutes) {
  const counts = new Map<string, number>();
  return playServer((request) => {
    const name = `${request.method} ${request.target.replace(/^\/api\/v1/, "").replace(/\?.*$/, "")}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return routes[name]?.answer(request, count) ?? refusal(404, "not_found", `nothing is played for ${name}`);
  });
}

export function refusal(status: number, code: string, message: string): PlayedAnswer {
  return { status, json: { message, code, details: {} } };
}

/** A stream of a run's events; with `end` it is over. */
export function eventStream(events: readonly RunEvent[], end: "end" | "cut" | "open" = "end"): PlayedAnswer {
  const frames = events.map((event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return streamAnswer(["retry: 1\n\n", ...frames, ...(end === "end" ? ["event: end\ndata: {}\n\n"] : [])], end);
}

/** The event of a run's phase. */
export function runEvent(seq: number, { phase, result }: Pick<RunView, "phase" | "result">): RunEvent {
  return { id: `r-${seq}`, runId: "r", seq, at: "2026-01-01T00:00:00.000Z", type: "run", phase, result };
}
