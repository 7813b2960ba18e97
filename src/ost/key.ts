const maxSegmentBytes = 255;

/** The segments of an object's key; throws on one that no driver may accept, whatever made it. */
export function checkKey(key: string): readonly string[] {
  const segments = key.split("/");
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === "..") throw new Error(`an object key with an empty, "." or ".." segment: ${key}`);
    if (/[\0\\]/.test(segment)) throw new Error(`an object key with a NUL or a backslash: ${JSON.stringify(key)}`);
    if (Buffer.byteLength(segment) > maxSegmentBytes)
      throw new Error(`an object key with a segment beyond ${maxSegmentBytes} bytes: ${key}`);
  }
  if (segments[0]?.startsWith(".")) throw new Error(`an object key that begins with a dot: ${key}`);
  return segments;
}

/** A range of an object of `sizeBytes` as absolute, clamped offsets. */
export function resolveRange(sizeBytes: number, range: { readonly start: number; readonly end?: number } | undefined) {
  const start = range ? (range.start < 0 ? sizeBytes + range.start : range.start) : 0;
  const end = Math.min(range?.end ?? sizeBytes, sizeBytes);
  const clamped = Math.min(Math.max(start, 0), sizeBytes);
  return { start: clamped, end: Math.max(end, clamped) };
}
