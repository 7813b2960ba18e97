import { expect, it } from "vitest";
import { permissions } from "../../src/executors/kubernetes/permissions.ts";

it("asks for no more than one cluster-wide permission, and can do without that", () => {
  const clusterWide = permissions.filter(({ scope }) => scope === "cluster");
  expect(clusterWide.map(({ resource }) => resource)).toEqual(["nodes"]);
  for (const { without } of clusterWide) expect(without).toContain("OSTLER_EXECUTOR_ARCHS");
});

it("never asks to read secrets", () => {
  const verbs = permissions.filter(({ resource }) => resource === "secrets").flatMap((permission) => permission.verbs);
  expect(verbs).toEqual(["create"]);
});
