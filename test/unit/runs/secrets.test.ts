import { describe, expect, it } from "vitest";
import { parseDefinition } from "../../../src/runs/parse-definition.ts";
import { mapSecrets } from "../../../src/runs/secrets.ts";
import { raw } from "./faults.ts";

const secret = { secret: "s3cret" };

describe("sealing", () => {
  const definition = parseDefinition(
    raw({
      environment: { A: secret, PLAIN: "s3cret-like" },
      staticEnvironment: { B: secret },
      registries: { "ghcr.io": { username: "u", password: secret }, open: { username: "u", password: "plain" } },
      tasks: {
        a: {
          environment: { C: secret },
          runtime: { containers: [{ image: "x", environment: { D: secret } }, { image: "y" }] },
          steps: [{ run: "x", environment: { E: secret } }, { run: "y" }, { type: "restore_workspace" }],
        },
      },
    }),
  );

  it("reaches every secret of a definition, and nothing else", () => {
    const sealed = mapSecrets(definition, (clear) => `sealed:${clear.length}`);
    expect(JSON.stringify(sealed).match(/sealed:6/g)).toHaveLength(6);
    expect(JSON.stringify(sealed)).not.toMatch(/"s3cret"/);
    expect(sealed.environment?.PLAIN).toBe("s3cret-like");
    expect(mapSecrets(sealed, () => "s3cret")).toEqual(definition);
  });

  it("alters nothing in place", () => {
    const before = structuredClone(definition);
    mapSecrets(definition, () => "***");
    expect(definition).toEqual(before);
  });
});
