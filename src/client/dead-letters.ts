import { body, done, ending, type TypedApi } from "./api.ts";
import { segment } from "./path.ts";

const none = { query: {} } as const;

/** Messages that were put aside because nobody could decide on them, over the API. */
export function createDeadLetters(api: TypedApi) {
  const letters = api["dead-letters"];
  const letter = (id: string) => ({ param: { id: segment(id) } });
  return {
    list: (query: { readonly limit?: number; readonly cursor?: string | undefined }, signal?: AbortSignal) =>
      body(letters.$get({ query }, ending(signal))),
    get: (id: string, signal?: AbortSignal) => body(letters[":id"].$get({ ...none, ...letter(id) }, ending(signal))),
    /** Sends it again; if it fails again, it comes back as another one. */
    replay: (id: string, signal?: AbortSignal) => done(letters[":id"].replay.$post({ ...none, ...letter(id), json: {} }, ending(signal))),
    drop: (id: string, signal?: AbortSignal) => done(letters[":id"].$delete({ ...none, ...letter(id) }, ending(signal))),
  };
}
