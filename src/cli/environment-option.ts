import { InvalidArgumentError } from "commander";

/** Collects `--env K=V`, repeated. The value may be empty and may hold further `=`. */
export function collectEnvironment(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("expected NAME=VALUE");
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}
