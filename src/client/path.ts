/** Undefined fields are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A path below the API's root, of encoded segments: `/api/v1/runs/<id>/tasks/unit%20tests`. */
export function apiPath(strings: TemplateStringsArray, ...segments: readonly (string | number)[]): string {
  const encoded = strings.map((text, i) => text + (i < segments.length ? segment(String(segments[i])) : ""));
  return `/api/v1${encoded.join("")}`;
}

/** One segment of a path. `.` and `..` would be resolved away; no name of ours is one. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

export function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.append(name, String(value));
  return parameters.size === 0 ? "" : `?${parameters}`;
}
