import { type Finding, failed } from "./finding.ts";

/** Looks at one thing, and says what there is to say of it. A fault that it throws is a finding too. */
export interface Check {
  readonly name: string;
  /** What to do where it cannot even be looked at. */
  readonly advice: string;
  readonly perform: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

/** Performs all checks at once, each for at most `limitMs`; the findings come in the order of the checks. Never rejects. */
export async function examine(checks: readonly Check[], limitMs: number, signal: AbortSignal): Promise<readonly Finding[]> {
  const found = await Promise.all(checks.map((check) => examineOne(check, limitMs, signal)));
  return found.flat();
}

async function examineOne({ name, advice, perform }: Check, limitMs: number, signal: AbortSignal): Promise<readonly Finding[]> {
  const limit = AbortSignal.timeout(limitMs);
  const late = new Promise<readonly Finding[]>((resolve) => {
    limit.addEventListener("abort", () => resolve([failed(name, `no answer within ${limitMs / 1000} s`, advice)]), { once: true });
  });
  const performed = perform(AbortSignal.any([signal, limit])).catch((error: unknown) => [failed(name, sentenceOf(error), advice)]);
  return Promise.race([performed, late]);
}

/** What went wrong, with what caused it where the message alone says little. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error && !error.message.includes(error.cause.message) ? `: ${error.cause.message}` : "";
  return `${error.message || error.name}${cause}`;
}
