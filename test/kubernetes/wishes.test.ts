import { describe, expect, it } from "vitest";
import { checkWishes } from "../../src/executors/kubernetes/wishes.ts";

const none = { nodeSelectors: [], tolerations: [], serviceAccounts: [] };
const nothing = { nodeSelector: {}, tolerations: [] };

describe("what a task wishes of its pod", () => {
  it("is refused unless the administrator has named it, and the refusal names the setting", () => {
    expect(() => checkWishes({ ...nothing, nodeSelector: { size: "big" } }, none)).toThrow("OSTLER_KUBERNETES_NODE_SELECTORS");
    expect(() => checkWishes({ ...nothing, tolerations: [{ key: "gpu" }] }, none)).toThrow("OSTLER_KUBERNETES_TOLERATIONS");
    expect(() => checkWishes({ ...nothing, serviceAccount: "deploy" }, none)).toThrow("OSTLER_KUBERNETES_SERVICE_ACCOUNTS");
    expect(() => checkWishes(nothing, none)).not.toThrow();
  });

  it("is allowed by name, or by name and value", () => {
    const allowed = { nodeSelectors: ["zone", "size=big"], tolerations: ["gpu"], serviceAccounts: ["deploy"] };
    const wish = { nodeSelector: { zone: "a", size: "big" }, tolerations: [{ key: "gpu", operator: "Exists" }], serviceAccount: "deploy" };
    expect(() => checkWishes(wish, allowed)).not.toThrow();
    expect(() => checkWishes({ ...nothing, nodeSelector: { size: "huge" } }, allowed)).toThrow("size=huge");
  });

  it("needs every taint to be allowed for a toleration without a key", () => {
    const wish = { ...nothing, tolerations: [{ operator: "Exists" }] };
    expect(() => checkWishes(wish, { ...none, tolerations: ["gpu"] })).toThrow("every taint");
    expect(() => checkWishes(wish, { ...none, tolerations: ["*"] })).not.toThrow();
  });
});
