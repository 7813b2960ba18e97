import { describe, expect, it } from "vitest";
import { ConfigError, parseClientConfig } from "../../../src/config.ts";

describe("the client's settings", () => {
  it("find a local server by default", () => {
    expect(parseClientConfig({ env: {} })).toEqual({ url: "http://127.0.0.1:7070" });
  });

  it("come from variables, and flags win", () => {
    const env = { OSTLER_URL: "http://one:1", OSTLER_TOKEN: "t", OSTLER_OUTPUT_FORMAT: "json", OSTLER_PORT: "ignored by clients" };
    expect(parseClientConfig({ env, flags: { url: "https://two", outputFormat: "yaml" } })).toEqual({
      url: "https://two",
      token: "t",
      outputFormat: "yaml",
    });
  });

  it("are refused all at once", () => {
    const env = { OSTLER_URL: "nowhere", OSTLER_OUTPUT_FORMAT: "xml", OSTLER_TOKN: "t" };
    expect(() => parseClientConfig({ env })).toThrow(ConfigError);
    expect(() => parseClientConfig({ env })).toThrow(
      /OSTLER_TOKN \(did you mean OSTLER_TOKEN\?\)[\s\S]*OSTLER_URL must be[\s\S]*OSTLER_OUTPUT_FORMAT must be one of/,
    );
  });

  it("work inside a step of a run", () => {
    const env = { OSTLER_OUTPUT: "/tmp/o", OSTLER_OUTPUT_A_B: "1", OSTLER_TASK: "t", OSTLER_URL: "http://h:1" };
    expect(parseClientConfig({ env })).toEqual({ url: "http://h:1" });
  });
});
