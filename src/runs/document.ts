import { isMap, isNode, isScalar, LineCounter, parseDocument, visit, type YAMLMap } from "yaml";
import { OstlerError } from "../errors.ts";

/** How often aliases may multiply what was written, before it counts as an attempt to exhaust memory. */
const maxAliasCount = 100;

/** The value that a JSON text stands for; a text that is not JSON is `invalid_definition`. */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused(`not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** The value that a YAML text stands for. Duplicate keys, tags, exploding aliases and more than one document are refused. */
export function parseYamlText(text: string): unknown {
  const lines = new LineCounter();
  // The library's own check for duplicate keys is quadratic.
  const document = parseDocument(text, { uniqueKeys: false, logLevel: "error", prettyErrors: false, lineCounter: lines });
  const [error] = document.errors;
  if (error) throw refused(`not valid YAML: ${wordsOf(error.message)} ${positionOf(lines, error.pos[0])}`);
  visit(document, (_, node) => {
    if (!isNode(node)) return;
    if (node.tag !== undefined) throw refused(`YAML tags are not allowed (${node.tag}) ${positionOf(lines, node.range?.[0])}`);
    if (isMap(node)) checkKeys(node, lines);
  });
  try {
    return document.toJS({ maxAliasCount });
  } catch (cause) {
    throw refused(`not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** The library's words, but for the one thing it only notices by running out of stack. */
function wordsOf(message: string): string {
  return message.startsWith("Maximum call stack") ? "nested too deeply" : message;
}

function checkKeys(map: YAMLMap, lines: LineCounter): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    if (!isScalar(key)) throw refused(`a YAML key must be a plain word ${positionOf(lines, map.range?.[0])}`);
    const name = String(key.value);
    if (seen.has(name)) throw refused(`the key "${name}" is there twice ${positionOf(lines, key.range?.[0])}`);
    seen.add(name);
  }
}

function positionOf(lines: LineCounter, offset: number | undefined): string {
  const { line, col } = lines.linePos(offset ?? 0);
  return `at line ${line}, column ${col}`;
}

function refused(message: string): OstlerError {
  return new OstlerError("invalid_definition", message, { details: { locations: [{ path: "", message }] } });
}
