/** `/a/b/c` -> `/a`, `/a/b`, `/a/b/c`. */
export function pathsTo(group: string): string[] {
  const segments = group.split("/").slice(1);
  return segments.map((_, index) => `/${segments.slice(0, index + 1).join("/")}`);
}

/** `/a/b/c` -> `/a/b`; the parent of `/a` is `/`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Everything below a path, as a half-open range: `0` is the character after `/`. */
export function rangeBelow(path: string): readonly [from: string, to: string] {
  return [`${path}/`, `${path}0`];
}
