import { body, ending, type TypedApi } from "./api.ts";

/** What the server finds of what it depends on. */
export function createDoctor(api: TypedApi) {
  return (signal?: AbortSignal) => body(api.doctor.$get({ query: {} }, ending(signal)));
}
