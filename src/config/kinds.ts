import { resolve } from "node:path";
import { durationForm, formatDuration, parseDuration } from "../duration.ts";
import { parseSize, sizeForm } from "../size.ts";

/** How the text of a setting becomes a value. `parse` returns undefined for what is not of this kind. */
export interface Kind<Value> {
  /** Completes the sentence "… must be", for messages and the settings page. */
  readonly form: string;
  readonly parse: (text: string) => Value | undefined;
}

function matching(pattern: RegExp, form: string): Kind<string> {
  return { form, parse: (text) => (pattern.test(text) ? text : undefined) };
}

/** Any text. */
export const text = matching(/^/, "a text");

/** A host name, or an IPv4 or IPv6 address. */
export const host = matching(/^(?:[A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f:.]+)$/, "a host name or address");

/** A name that is safe in keys, folder and queue names. */
export const identifier = matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "1 to 63 of A-Z a-z 0-9 . _ -, starting with a letter or digit");

/** A key prefix with exactly one hash tag, so that all keys share a slot; BullMQ forbids colons. */
export const redisPrefix = matching(/^[^{}:\s]*\{[^{}:\s]+\}[^{}:\s]*$/, "a text with exactly one hash tag such as {ostler}, and no colon");

/** 32 bytes as 64 hexadecimal digits or as base64. */
export const secretKey = matching(/^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)$/, "32 bytes, as 64 hexadecimal digits or as base64");

/** At least 16 printable characters: what an HTTP header can carry and nobody guesses. */
export const token = matching(/^[\x21-\x7e]{16,1024}$/, "16 to 1,024 printable ASCII characters without spaces");

/** A folder, made absolute. */
export const folder: Kind<string> = { form: "a folder", parse: (path) => resolve(path) };

export const boolean: Kind<boolean> = {
  form: "true or false",
  parse: (value) =>
    new Map([
      ["true", true],
      ["1", true],
      ["false", false],
      ["0", false],
    ]).get(value.toLowerCase()),
};

export function integer(least: number, most: number): Kind<number> {
  return {
    form: `a whole number from ${least} to ${most}`,
    parse: (value) => {
      const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

/** Milliseconds. */
export function duration(leastMs: number): Kind<number> {
  return {
    form: `${durationForm}, at least ${formatDuration(leastMs)}`,
    parse: (value) => {
      const ms = parseDuration(value);
      return ms !== undefined && ms >= leastMs ? ms : undefined;
    },
  };
}

/** Bytes. */
export const size: Kind<number> = { form: sizeForm, parse: parseSize };

export function oneOf<const Value extends string>(values: readonly Value[]): Kind<Value> {
  return {
    form: values.length === 1 ? `${values[0]}` : `one of ${values.join(", ")}`,
    parse: (value) => values.find((known) => known === value),
  };
}

function items(list: string): string[] {
  return list.split(",").map((item) => item.trim());
}

/** Any texts without commas, as `a,b`; an empty text is none. */
export const names: Kind<readonly string[]> = {
  form: "names separated by commas",
  parse: (list) => {
    const given = list.trim() === "" ? [] : items(list);
    return given.includes("") ? undefined : given;
  },
};

/** One or more distinct values, as `a,b`, in the order of `values`. */
export function someOf<const Value extends string>(values: readonly Value[]): Kind<readonly Value[]> {
  return {
    form: `one or more of ${values.join(", ")}, separated by commas`,
    parse: (list) => {
      const given = new Set(items(list));
      const chosen = values.filter((value) => given.has(value));
      return chosen.length === given.size ? chosen : undefined;
    },
  };
}

const labelName = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;
const labelValue = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** `k=v,k=v`; an empty text is no label. */
export const labels: Kind<Readonly<Record<string, string>>> = {
  form: "pairs such as size=big,zone=eu, each name once",
  parse: (list) => {
    if (list === "") return {};
    const pairs = items(list).map((item): [string, string] => {
      const at = item.indexOf("=");
      return [item.slice(0, Math.max(at, 0)), item.slice(at + 1)];
    });
    const valid = pairs.every(([name, value]) => labelName.test(name) && labelValue.test(value));
    return valid && new Set(pairs.map(([name]) => name)).size === pairs.length ? Object.fromEntries(pairs) : undefined;
  },
};

const groupPrefix = /^(?:\/[A-Za-z0-9._~!$&'()*+;=:@%-]+)+$/;

/** `pool=/group|/group,pool=/group`: by pool the groups at or below which runs may use it. */
export const poolGroups: Kind<Readonly<Record<string, readonly string[]>>> = {
  form: "pairs such as gpu=/ml|/research/vision,mac=/apps, each pool once",
  parse: (list) => {
    if (list === "") return {};
    const pairs = items(list).map((item): [string, string[]] => {
      const at = item.indexOf("=");
      return [item.slice(0, Math.max(at, 0)), item.slice(at + 1).split("|")];
    });
    const valid = pairs.every(([pool, groups]) => identifier.parse(pool) !== undefined && groups.every((group) => groupPrefix.test(group)));
    return valid && new Set(pairs.map(([pool]) => pool)).size === pairs.length ? Object.fromEntries(pairs) : undefined;
  },
};

/** A URL with one of `protocols`, kept as written. */
export function url(protocols: readonly string[], form: string, accept: (parsed: URL) => boolean = () => true): Kind<string> {
  return {
    form,
    parse: (value) => {
      const parsed = URL.canParse(value) ? new URL(value) : undefined;
      return parsed && protocols.includes(parsed.protocol) && accept(parsed) ? value : undefined;
    },
  };
}
