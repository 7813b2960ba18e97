/** One message of an event stream, as the WHATWG's HTML standard, section 9.2, reads it. */
export interface ServerSentEvent {
  /** `message` where the server names none. */
  readonly event: string;
  readonly data: string;
  /** The last id that the stream has named so far; empty if none yet. */
  readonly id: string;
}

/** A message, or how long (ms) the server wants readers to wait before they come back. */
export type StreamPart =
  | { readonly type: "message"; readonly message: ServerSentEvent }
  /** Where the stream is, although nothing has happened. */
  | { readonly type: "position"; readonly id: string }
  | { readonly type: "retry"; readonly ms: number };

/**
 * Reads an event stream piece by piece: give it text as it comes, get the messages that it completes.
 * A message that the stream's end cuts off is never given out.
 */
export function createEventParser(): (text: string) => readonly StreamPart[] {
  let rest = "";
  let afterReturn = false;
  let isStart = true;
  let event = "";
  let data: string[] = [];
  let id = "";
  let told = "";

  function field(line: string): StreamPart | undefined {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d+$/.test(value)) return { type: "retry", ms: Number(value) };
    return undefined;
  }

  function dispatch(): StreamPart | undefined {
    const message = { event: event || "message", data: data.join("\n"), id };
    const isEmpty = data.length === 0;
    const moved = isEmpty && id !== told;
    told = id;
    event = "";
    data = [];
    if (moved) return { type: "position", id };
    return isEmpty ? undefined : { type: "message", message };
  }

  return (text) => {
    const parts: StreamPart[] = [];
    // A line feed that belongs to the carriage return at the end of the piece before.
    let input = rest + (afterReturn && text.startsWith("\n") ? text.slice(1) : text);
    if (text !== "") afterReturn = text.endsWith("\r");
    if (isStart && input !== "") {
      isStart = false;
      if (input.startsWith("\uFEFF")) input = input.slice(1);
    }
    const lines = input.split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const part = line === "" ? dispatch() : field(line);
      if (part) parts.push(part);
    }
    return parts;
  };
}
