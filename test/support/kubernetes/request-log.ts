import type { Attempt } from "./access.ts";

/** Which requests are meant: those that have every property given. */
export type RequestFilter = Partial<Pick<Attempt, "verb" | "resource" | "namespace" | "name">>;

/** Of so many requests nothing is forgotten. */
const kept = 100_000;

/** Counts what has been asked of the server: "at most five calls for a task". */
export class RequestLog {
  #requests: Attempt[] = [];

  add(attempt: Attempt): void {
    this.#requests.push(attempt);
    if (this.#requests.length > 2 * kept) this.#requests = this.#requests.slice(kept);
  }

  /** Requests in order, watches among them. */
  list(filter: RequestFilter = {}): readonly Attempt[] {
    const wanted = Object.entries(filter);
    return this.#requests.filter((request) => {
      const had: Readonly<Record<string, string | undefined>> = { ...request };
      return wanted.every(([key, value]) => had[key] === value);
    });
  }

  count(filter: RequestFilter = {}): number {
    return this.list(filter).length;
  }

  clear(): void {
    this.#requests = [];
  }
}
