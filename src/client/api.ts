import { hc } from "hono/client";
import type { Api } from "../http/app.ts";
import type { Transport } from "./transport.ts";

/**
 * The API's routes, with the types of what they take and answer: a route that is renamed no longer compiles here.
 * Answers are typed, not checked again: the API only ever adds fields and values, and an older client must go on with a newer server.
 */
export function createApi({ url, fetch }: Transport) {
  return hc<Api>(url, { fetch }).api.v1;
}

export type TypedApi = ReturnType<typeof createApi>;

/** The options of one call. */
export function ending(signal: AbortSignal | undefined) {
  return signal ? { init: { signal } } : {};
}

/** The body of an answer. */
export async function body<Body>(answer: Promise<{ readonly json: () => Promise<Body> }>): Promise<Body> {
  return (await answer).json();
}

/** The body of an answer whose type the routes do not tell; the caller says what the API promises. */
export async function jsonOf<Body>(answer: Promise<Response>): Promise<Body> {
  return JSON.parse(await (await answer).text());
}

/** Waits for an answer without a body. */
export async function done(answer: Promise<unknown>): Promise<void> {
  await answer;
}

/** A flag as a query parameter; false is what a flag is without one. */
export function flag(value: boolean | undefined): "true" | undefined {
  return value ? "true" : undefined;
}
