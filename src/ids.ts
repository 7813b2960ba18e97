import { randomBytes } from "node:crypto";

/** Crockford's base32 in lower case: no i, l, o, u, so an id survives being read aloud. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

const timeLength = 10;
const counterLength = 3;
const shardLength = 2;
const chanceLength = 11;
const maxCounter = 32 ** counterLength - 1;

function encode(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function decode(text: string): number {
  let value = 0;
  for (const letter of text) value = value * 32 + alphabet.indexOf(letter);
  return value;
}

/** `length` random characters of the id alphabet, five bits each. */
export function randomId(length: number): string {
  let text = "";
  for (const byte of randomBytes(length)) text += alphabet.charAt(byte % 32);
  return text;
}

/**
 * Makes run ids: 26 characters of time (ms), a counter within that millisecond, shard and chance.
 * They sort by time, and those of one generator are strictly ascending whatever the clock does.
 */
export function createRunIds(): (at: { readonly timeMs: number; readonly shard: number }) => string {
  let lastMs = 0;
  let counter = 0;
  return ({ timeMs, shard }) => {
    if (timeMs > lastMs) {
      lastMs = timeMs;
      counter = 0;
    } else if (counter < maxCounter) {
      counter += 1;
    } else {
      lastMs += 1;
      counter = 0;
    }
    return encode(lastMs, timeLength) + encode(counter, counterLength) + encode(shard, shardLength) + randomId(chanceLength);
  };
}

const runIdPattern = /^[0-9a-hjkmnp-tv-z]{26}$/;

/** Time (ms since the epoch) and shard of a run id; undefined for anything that is not one. */
export function parseRunId(id: string): { readonly timeMs: number; readonly shard: number } | undefined {
  if (!runIdPattern.test(id)) return undefined;
  const shardAt = timeLength + counterLength;
  return { timeMs: decode(id.slice(0, timeLength)), shard: decode(id.slice(shardAt, shardAt + shardLength)) };
}

/** What an assignment is of: `task` is the index in the run's graph, `attempt` counts from 1, `session` is its pool owner's. */
export interface AssignmentParts {
  readonly runId: string;
  readonly task: number;
  readonly attempt: number;
  readonly session: string;
}

/** The assignment's id, also its pod's name: at most 50 characters, a valid DNS label. */
export function assignmentId(parts: AssignmentParts): string {
  return `${parts.runId}-${parts.task}-${parts.attempt}-${parts.session}`;
}

const assignmentPattern = /^([0-9a-hjkmnp-tv-z]{26})-(\d{1,6})-(\d{1,4})-([0-9a-z]{1,12})$/;

export function parseAssignmentId(id: string): AssignmentParts | undefined {
  const match = assignmentPattern.exec(id);
  if (!match) return undefined;
  const [, runId = "", task = "", attempt = "", session = ""] = match;
  return { runId, task: Number(task), attempt: Number(attempt), session };
}

/** The root group: the first two segments of a group's path (`/project/web/branch/main` -> `/project/web`). */
export function rootOf(group: string): string {
  return group.split("/").slice(0, 3).join("/");
}

/** FNV-1a over UTF-16 units: stable for ever, because it decides where states are stored. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value ^= text.charCodeAt(i);
    value = Math.imul(value, 0x01000193) >>> 0;
  }
  return value;
}

/** The shard of a root group, and so of all its runs. */
export function shardOfRoot(root: string, shards: number): number {
  return hash(`root-group/${root}`) % shards;
}

/** The shard of a pool and all its executors. */
export function shardOfPool(pool: string, shards: number): number {
  return hash(`pool/${pool}`) % shards;
}

export function shardOfExecutorGroup(group: string, shards: number): number {
  return hash(`executor-group/${group}`) % shards;
}
