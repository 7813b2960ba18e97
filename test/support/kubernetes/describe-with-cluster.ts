import { describe } from "vitest";
import { simulatorProblem } from "./simulator-problem.ts";

/** Tests that need a cluster, simulated or real. Left out where there can be none, but never under CI. */
export const describeWithCluster = describe.skipIf(
  simulatorProblem() !== undefined && process.env["CI"] !== "true" && (process.env["KUBECONFIG"] ?? "") === "",
);
