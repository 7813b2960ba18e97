import { assertNever } from "../errors.ts";

/** What a template may call, and whether it takes an argument. */
const functions = {
  arch: false,
  os: false,
  env: true,
  sha256sum: true,
  year: false,
  month: false,
  day: false,
  unixtime: false,
} as const;
export type CacheKeyFunction = keyof typeof functions;

export type CacheKeyPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call"; readonly name: CacheKeyFunction; readonly argument: string | undefined };

/** Answers a template's calls; `env` and `sha256sum` get their argument. May reject, which fails the step. */
export type CacheKeyFunctions = Readonly<Record<CacheKeyFunction, (argument: string) => string | Promise<string>>>;

const maxLength = 1024;
const callPattern = /^([A-Za-z0-9_]+)(?:\s+"([^"]*)")?$/;

/** Parses `npm-{{ arch }}-{{ sha256sum "package-lock.json" }}`; a fault is told as text. */
export function parseCacheKey(template: string): { readonly parts: readonly CacheKeyPart[] } | { readonly fault: string } {
  if (template.length === 0) return { fault: "the cache key is empty" };
  if (template.length > maxLength) return { fault: `the cache key is longer than ${maxLength} characters` };
  const parts: CacheKeyPart[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf("{{", at);
    if (open < 0) {
      parts.push({ type: "text", text: template.slice(at) });
      break;
    }
    if (open > at) parts.push({ type: "text", text: template.slice(at, open) });
    const close = template.indexOf("}}", open);
    if (close < 0) return { fault: `"{{" at character ${open} is never closed` };
    const call = parseCall(template.slice(open + 2, close).trim());
    if ("fault" in call) return call;
    parts.push(call);
    at = close + 2;
  }
  return { parts };
}

function parseCall(source: string): CacheKeyPart | { readonly fault: string } {
  const match = callPattern.exec(source);
  const [, name = "", argument] = match ?? [];
  if (!match) return { fault: `"{{ ${source} }}" is not a function with at most one argument in double quotes` };
  if (!isFunction(name)) return { fault: `no function "${name}", there are ${Object.keys(functions).join(", ")}` };
  if (functions[name] && !argument) return { fault: `${name} needs an argument in double quotes` };
  if (!functions[name] && argument !== undefined) return { fault: `${name} takes no argument` };
  return { type: "call", name, argument };
}

function isFunction(name: string): name is CacheKeyFunction {
  return Object.hasOwn(functions, name);
}

export function checkCacheKey(template: string, report: (message: string) => void): void {
  const parsed = parseCacheKey(template);
  if ("fault" in parsed) report(parsed.fault);
}

/** The key that a template stands for. Calls are made one after another, in the template's order. */
export async function evaluateCacheKey(template: string, calls: CacheKeyFunctions): Promise<string> {
  const parsed = parseCacheKey(template);
  if ("fault" in parsed) throw new Error(parsed.fault);
  let key = "";
  for (const part of parsed.parts) {
    switch (part.type) {
      case "text":
        key += part.text;
        break;
      case "call":
        key += await calls[part.name](part.argument ?? "");
        break;
      default:
        assertNever(part);
    }
  }
  return key;
}
