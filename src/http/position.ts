import { isStreamId, type StreamId } from "../read-model/stream-id.ts";

/** Where in the installation's event stream something is: `<history>.<stream id>`, or `….<k>` for event k inside one entry. */
export interface EventPosition {
  /** Positions of another history mean nothing: Redis may have forgotten what they named. */
  readonly history: string;
  readonly entry: StreamId;
  /** Index of an event inside its entry; undefined for the whole entry. */
  readonly index: number | undefined;
}

const pattern = /^([A-Za-z0-9]{1,64})\.(\d+-\d+)(?:\.(\d{1,6}))?$/;

/** Undefined for what is no position. */
export function parsePosition(text: string): EventPosition | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, history = "", entry = "", index] = match;
  if (!isStreamId(entry)) return undefined;
  return { history, entry, index: index === undefined ? undefined : Number(index) };
}

export function formatPosition({ history, entry, index }: EventPosition): string {
  return `${history}.${entry}${index === undefined ? "" : `.${index}`}`;
}
