import { createHash } from "node:crypto";

/** Where one log is: of a step (its number from 0), or of the setup, of one attempt (from 1) of a task (by name). */
export interface LogPlace {
  readonly runId: string;
  readonly task: string;
  readonly attempt: number;
  /** `setup`, or the step's number. */
  readonly step: string;
}

export type AttemptPlace = Pick<LogPlace, "runId" | "task" | "attempt">;

/** Where a cache is: no run reaches beyond the namespaces of its own root group. */
export interface CachePlace {
  readonly root: string;
  readonly namespace: string;
}

/** Longer segments are cut and told apart by a hash: file systems end at 255 bytes, and percent-encoding triples. */
const maxSegmentBytes = 100;
const keptBytes = 60;
const hashLength = 32;

/** The bytes of a name as a key spells them: everything but `A-Z a-z 0-9 - _ .` percent-encoded, and a leading dot too. */
function encode(name: string): string {
  let encoded = "";
  for (const byte of Buffer.from(name, "utf8")) {
    const letter = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(letter) || (letter === "." && encoded !== "");
    encoded += plain ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** At most `length` characters of encoded text, never half of an escape. */
function cut(encoded: string, length: number): string {
  return encoded.slice(0, length).replace(/%[0-9A-F]?$/, "");
}

/** One segment of a key. Beyond 100 bytes only its beginning and a hash remain, so the object itself holds the plain name. */
export function keySegment(name: string): string {
  if (name === "") throw new Error("a key's segment cannot be empty");
  const encoded = encode(name);
  if (encoded.length <= maxSegmentBytes) return encoded;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, hashLength);
  return `${cut(encoded, keptBytes)}~${hash}`;
}

/** The name of a segment, or undefined where it was hashed: the object then holds it. */
export function segmentName(segment: string): string | undefined {
  return segment.includes("~") ? undefined : decodeURIComponent(segment);
}

/** What every key of names that begin with `prefix` begins with; beyond 60 bytes also others, to be told apart by their plain names. */
export function keySegmentPrefix(prefix: string): string {
  return cut(encode(prefix), keptBytes);
}

const attemptFolder = (place: AttemptPlace) => `logs/${place.runId}/${keySegment(place.task)}/${place.attempt}`;
const archiveFolder = (kind: "workspaces" | "artifacts", place: AttemptPlace) =>
  `${kind}/${place.runId}/${keySegment(place.task)}/${place.attempt}`;
const cacheFolder = (place: CachePlace) => `caches/${keySegment(place.root)}/${keySegment(place.namespace)}`;

/** So that keys sort as the offsets in them do. */
const padded = (offset: number) => String(offset).padStart(16, "0");

/** Every object key, spelled in this one place (`docs/formats/keys.md`). */
export const layout = {
  installation: "installation.json",
  /** Written, read and at once deleted by `ostler doctor`. */
  probe: (id: string) => `doctor/${keySegment(id)}`,
  setting: (name: string) => `settings/${keySegment(name)}.json`,
  runs: "runs/",
  runFolder: (runId: string) => `runs/${runId}/`,
  definition: (runId: string) => `runs/${runId}/definition.json`,
  run: (runId: string) => `runs/${runId}/run.json`,
  runEvents: (runId: string) => `runs/${runId}/events.jsonl`,
  /** Marks, one per restart, that kept tasks of it use this run's archives. */
  usedBy: (runId: string) => `runs/${runId}/used-by/`,
  usedByRun: (runId: string, restart: string) => `runs/${runId}/used-by/${restart}.json`,
  /** Stays for ever: the run was deleted, its number is taken. */
  runDeleted: (runId: string) => `runs/${runId}/deleted.json`,
  /** Folders with one folder per task that ran, by run. */
  ofRun: {
    logs: (runId: string) => `logs/${runId}/`,
    workspaces: (runId: string) => `workspaces/${runId}/`,
    artifacts: (runId: string) => `artifacts/${runId}/`,
  },
  logsOfAttempt: (place: AttemptPlace) => `${attemptFolder(place)}/`,
  log: (place: LogPlace) => `${attemptFolder(place)}/${keySegment(place.step)}.log`,
  /** The mark that an attempt's logs were deleted. */
  logsDeleted: (place: AttemptPlace) => `${attemptFolder(place)}.deleted`,
  /** Segments of a live log, told apart by assignment since attempt numbers repeat after a roll-back. */
  liveFolder: (place: LogPlace) => `${attemptFolder(place)}/${keySegment(place.step)}.live/`,
  segments: (place: LogPlace, assignment: string) => `${layout.liveFolder(place)}${keySegment(assignment)}/`,
  /** Bytes `from` to `to` (exclusive). The end comes first: the first key after `segmentsTo(offset)` holds the byte at `offset`. */
  segment: (place: LogPlace, assignment: string, range: { readonly from: number; readonly to: number }) =>
    `${layout.segments(place, assignment)}${padded(range.to)}-${padded(range.from)}.log`,
  segmentsTo: (place: LogPlace, assignment: string, offset: number) => `${layout.segments(place, assignment)}${padded(offset)}~`,
  source: (id: string) => `sources/${keySegment(id)}.tar.zst`,
  workspace: (place: LogPlace) => `${archiveFolder("workspaces", place)}/${keySegment(place.step)}.tar.zst`,
  artifact: (place: AttemptPlace, name: string) => `${archiveFolder("artifacts", place)}/${keySegment(name)}.tar.zst`,
  cache: (place: CachePlace, key: string) => `${cacheFolder(place)}/${keySegment(key)}.tar.zst`,
  cachePrefix: (place: CachePlace, prefix: string) => `${cacheFolder(place)}/${keySegmentPrefix(prefix)}`,
} as const;

const segmentPattern = /\/(\d{16})-(\d{16})\.log$/;

/** The byte range of a segment's key; throws on another key. */
export function parseSegmentKey(key: string): { readonly from: number; readonly to: number } {
  const match = segmentPattern.exec(key);
  if (!match) throw new Error(`not a log segment: ${key}`);
  return { from: Number(match[2]), to: Number(match[1]) };
}
