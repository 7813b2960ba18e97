import { describe, expect, it } from "vitest";
import { parseJsonText, parseYamlText } from "../../../src/runs/document.ts";
import { refusals } from "./faults.ts";

const yaml = (text: string) => refusals(() => parseYamlText(text))[0];

describe("YAML", () => {
  it("is read as the values it stands for", () => {
    expect(parseYamlText("a: [1, x, 'y']\nb:\n  c: true\nd: &d { e: 1 }\nf: *d\n")).toEqual({
      a: [1, "x", "y"],
      b: { c: true },
      d: { e: 1 },
      f: { e: 1 },
    });
  });

  it("keeps a key __proto__ as a key, for the parser to refuse", () => {
    expect(Object.keys(Object(parseYamlText("__proto__: { a: 1 }")))).toEqual(["__proto__"]);
  });

  it("with a key twice is refused, and where", () => {
    expect(yaml("a: 1\nb:\n  c: 1\n  c: 2\n")).toBe('the key "c" is there twice at line 4, column 3');
    expect(yaml("1: x\n'1': y\n")).toMatch(/there twice/);
  });

  it.each(["a: !!str 1", "a: !custom x", "--- !tagged\na: 1", "a: !!binary aGk="])("with a tag is refused: %s", (text) => {
    expect(yaml(text)).toMatch(/tags are not allowed .* at line/);
  });

  it("whose aliases explode is refused", () => {
    const levels = Array.from({ length: 9 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(", ")}]`);
    expect(yaml(`l0: &l0 [x]\n${levels.join("\n")}\n`)).toMatch(/alias/i);
  });

  it("that is nested without end is refused", () => {
    expect(yaml("[".repeat(100_000))).toMatch(/not valid YAML/);
  });

  it.each([
    ["a: 'x", "not valid YAML"],
    ["a: 1\n---\nb: 2", "not valid YAML"],
    ["? { a: 1 }\n: 2", "must be a plain word"],
    ["a: *nobody", "not valid YAML"],
  ])("%j is refused", (text, message) => {
    expect(yaml(text)).toContain(message);
  });

  it("of many keys takes time in proportion", () => {
    const text = (size: number) => Array.from({ length: size }, (_, index) => `k${index}: 1`).join("\n");
    expect(Object.keys(Object(parseYamlText(text(20_000))))).toHaveLength(20_000);
  });
});

describe("JSON", () => {
  it("is read as it is", () => {
    expect(parseJsonText('{"a":[1,null]}')).toEqual({ a: [1, null] });
  });

  it.each(["", "{", "{a: 1}", "undefined"])("%j is refused", (text) => {
    expect(refusals(() => parseJsonText(text))[0]).toMatch(/^not valid JSON/);
  });
});
