const mask = Buffer.from("***");

/** Shorter lines of a multi-line secret are everywhere ("{", "---"): masking them would hide the log, not the secret. */
const minLineLength = 4;
/** Fewer base64 characters than this say too little: they occur by chance. */
const minEncodedLength = 6;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

interface Needle {
  readonly bytes: Buffer;
  /** Encoders break lines anywhere: a line break inside the needle does not hide it. */
  readonly mayWrap: boolean;
}

/** Replaces secrets by `***` in a stream of bytes, however the stream is cut into chunks. */
export interface Masker {
  /** What can be told of the stream so far: the beginning of a possible secret is held back. */
  readonly push: (chunk: Uint8Array) => Uint8Array;
  /** The rest, at the end of the stream. */
  readonly flush: () => Uint8Array;
}

/** Finds given values, each of their lines, and the base64 of the values at every alignment. */
export interface Masking {
  readonly createMasker: () => Masker;
  /** A whole text at once. */
  readonly maskText: (text: string) => string;
}

export function createMasking(secrets: readonly string[]): Masking {
  const needles = byFirstByte(secrets.flatMap(needlesOf));
  const createMasker = () => (needles.size === 0 ? passThrough : createStreamMasker(needles));
  return {
    createMasker,
    maskText: (text) => {
      if (needles.size === 0) return text;
      const masker = createMasker();
      return Buffer.concat([masker.push(Buffer.from(text)), masker.flush()]).toString();
    },
  };
}

const passThrough: Masker = { push: (chunk) => chunk, flush: () => new Uint8Array() };

function needlesOf(secret: string): readonly Needle[] {
  const trimmed = secret.trim();
  if (trimmed === "") return [];
  const lines = secret.split(/\r\n|\r|\n/).map((line) => line.trim());
  const plain = [trimmed, ...(lines.length > 1 ? lines.filter((line) => line.length >= minLineLength) : [])];
  const encoded = [secret, trimmed].flatMap((text) => encodings(Buffer.from(text))).filter((text) => text.length >= minEncodedLength);
  return [
    ...[...new Set(plain)].map((text) => ({ bytes: Buffer.from(text), mayWrap: false })),
    ...[...new Set(encoded)].map((text) => ({ bytes: Buffer.from(text), mayWrap: true })),
  ];
}

/** What base64 of any text that holds `value` contains, whatever stands before and after it, in both alphabets. */
function encodings(value: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const bits = (before + value.length) * 8;
    // Characters that also carry bits of what stands around the value say nothing certain.
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(bits / 6);
    const text = Buffer.concat([Buffer.alloc(before), value])
      .toString("base64")
      .slice(first, last);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

type Needles = ReadonlyMap<number, readonly Needle[]>;

function byFirstByte(needles: readonly Needle[]): Needles {
  const map = new Map<number, Needle[]>();
  for (const needle of needles) {
    const first = needle.bytes[0];
    if (first === undefined) continue;
    const known = map.get(first);
    if (known) known.push(needle);
    else map.set(first, [needle]);
  }
  return map;
}

/** Overlapping secrets are masked as one; what follows a secret directly is a mask of its own. */
function createStreamMasker(needles: Needles): Masker {
  const begins = pairsAtBegin(needles);
  let held: Buffer = Buffer.alloc(0);
  /** Bytes at the begin of `held` that belong to a secret whose mask is already out. */
  let covered = 0;

  const scan = (chunk: Uint8Array, isEnd: boolean): Uint8Array => {
    const text = held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([held, chunk]);
    const out: Uint8Array[] = [];
    let coveredTo = covered;
    let plainFrom = covered;
    let at = 0;
    for (; at < text.length; at++) {
      const byte = text[at] ?? 0;
      const next = text[at + 1];
      if (next !== undefined && begins[byte * 256 + next] !== 1) continue;
      const end = longestMatch(needles.get(byte) ?? [], { text, at, isEnd });
      if (end === "undecided") break;
      if (end === undefined || end <= coveredTo) continue;
      if (at >= coveredTo) {
        out.push(text.subarray(plainFrom, at), mask);
      }
      coveredTo = end;
      plainFrom = end;
    }
    if (at > plainFrom) out.push(text.subarray(plainFrom, at));
    held = Buffer.from(text.subarray(at));
    covered = Math.max(0, coveredTo - at);
    return out.length === 1 ? (out[0] ?? new Uint8Array()) : Buffer.concat(out);
  };

  return { push: (chunk) => scan(chunk, false), flush: () => scan(new Uint8Array(), true) };
}

/** Which two bytes a needle can begin with: one look at a table rules out nearly every position of a log. */
function pairsAtBegin(needles: Needles): Uint8Array {
  const pairs = new Uint8Array(256 * 256);
  for (const [first, sharing] of needles) {
    for (const { bytes, mayWrap } of sharing) {
      const second = bytes[1];
      if (second === undefined) pairs.fill(1, first * 256, first * 256 + 256);
      else for (const next of mayWrap ? [second, carriageReturn, lineFeed] : [second]) pairs[first * 256 + next] = 1;
    }
  }
  return pairs;
}

interface Position {
  readonly text: Buffer;
  readonly at: number;
  /** Nothing follows the text. */
  readonly isEnd: boolean;
}

/** The end of the longest needle at `at`; undefined if there is none, `undecided` if the text ends too early to tell. */
function longestMatch(needles: readonly Needle[], { text, at, isEnd }: Position): number | undefined | "undecided" {
  let longest: number | undefined;
  for (const needle of needles) {
    const end = matchEnd(needle, text, at);
    if (end === "undecided") {
      if (!isEnd) return "undecided";
    } else if (end !== undefined && (longest === undefined || end > longest)) longest = end;
  }
  return longest;
}

function matchEnd({ bytes, mayWrap }: Needle, text: Buffer, from: number): number | undefined | "undecided" {
  let at = from;
  for (let i = 0; i < bytes.length; i++, at++) {
    if (mayWrap && i > 0) {
      if (text[at] === carriageReturn) at++;
      if (text[at] === lineFeed) at++;
    }
    if (at >= text.length) return "undecided";
    if (text[at] !== bytes[i]) return undefined;
  }
  return at;
}
