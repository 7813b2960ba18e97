import { describe, expect, it } from "vitest";
import { nearest } from "../../src/nearest.ts";

describe("the nearest known word", () => {
  const known = ["depends", "environment", "timeout", "steps"];

  it("forgives a slip, a swap and the case", () => {
    expect(nearest("depend", known)).toBe("depends");
    expect(nearest("tiemout", known)).toBe("timeout");
    expect(nearest("Enviroment", known)).toBe("environment");
  });

  it("guesses nothing where nothing is near", () => {
    expect(nearest("artifacts", known)).toBeUndefined();
    expect(nearest("x", known)).toBeUndefined();
    expect(nearest("", known)).toBeUndefined();
  });
});
