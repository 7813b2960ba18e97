import { readFile } from "node:fs/promises";
import { OstlerError } from "../errors.ts";
import { parseJsonText, parseYamlText } from "../runs/document.ts";
import { Failure } from "./failure.ts";
import type { Input } from "./terminal.ts";

/** A file's text; `-` is stdin. A file that cannot be read is a failure that names it. */
export async function readSource(file: string, stdin: Input): Promise<string> {
  if (file !== "-") {
    return readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
      const why = cause.code === "ENOENT" ? "there is no such file" : cause.code === "EISDIR" ? "is a folder" : cause.message;
      throw new Failure(`${file}: ${why}`);
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** The value that a file's text stands for; JSON by its name or by how it begins, else YAML. */
export function parseSource(file: string, text: string): unknown {
  const isJson = file.endsWith(".json") || (file === "-" && text.trimStart().startsWith("{"));
  try {
    return isJson ? parseJsonText(text) : parseYamlText(text);
  } catch (error) {
    if (error instanceof OstlerError) throw new Failure(`${file}: ${error.message}`);
    throw error;
  }
}

/** A definition as it was written, unchecked: an object. */
export function asObject(file: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new Failure(
    `${file}: expected a mapping with name, group and tasks, got ${value === null ? "nothing" : `a ${Array.isArray(value) ? "list" : typeof value}`}`,
  );
}
