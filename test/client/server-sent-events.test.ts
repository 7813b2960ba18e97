import fc from "fast-check";
import { expect, it } from "vitest";
import { createEventParser } from "../../src/client/server-sent-events.ts";

const text =
  '\uFEFFretry: 2000\n\n: still here\n\nid: 7\nevent: task\ndata: {"a":1}\n\ndata: two\r\ndata:lines\r\n\r\nid: 8\rdata\r\revent: cut\ndata: off';

const parts = [
  { type: "retry", ms: 2000 },
  { type: "message", message: { event: "task", data: '{"a":1}', id: "7" } },
  { type: "message", message: { event: "message", data: "two\nlines", id: "7" } },
  { type: "message", message: { event: "message", data: "", id: "8" } },
];

it("reads messages, ids that stay, comments and every kind of line end, and gives out nothing that is cut off", () => {
  expect(createEventParser()(text)).toEqual(parts);
});

it("reads the same however the text is cut into pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
      const parse = createEventParser();
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      expect(at.slice(1).flatMap((end, i) => parse(text.slice(at[i], end)))).toEqual(parts);
    }),
  );
});

it("gives out an id that comes without data as a position, once", () => {
  expect(createEventParser()("id: 5\n\n: still here\n\nid: 5\n\nid: 6\ndata: x\n\n")).toEqual([
    { type: "position", id: "5" },
    { type: "message", message: { event: "message", data: "x", id: "6" } },
  ]);
});

it("ignores ids with a zero byte, retry times that are no number, and fields that it does not know", () => {
  expect(createEventParser()("id: a\0b\nretry: 1s\nnonsense: 1\n:\ndata: x\n\n")).toEqual([
    { type: "message", message: { event: "message", data: "x", id: "" } },
  ]);
});
