import { expect, it } from "vitest";
import { heartbeatScanMs } from "../../src/actors/owner.ts";
import { parseConfig } from "../../src/config.ts";
import { lookPace } from "../../src/executors/siblings.ts";
import { defaultBackoff } from "../../src/runs/graph.ts";

it("with the defaults, a dead executor's pods are gone and its work is placed again within a minute, at worst", () => {
  const { heartbeatTtlMs: ttlMs } = parseConfig({ env: {}, argv: [] });
  const { everyMs, hurriedMs } = lookPace(ttlMs);
  // It dies right after a heartbeat; each look of the owner comes right before what it would have seen.
  const suspectMs = ttlMs + heartbeatScanMs;
  const lostMs = suspectMs + ttlMs + heartbeatScanMs;
  // Its pods were seen while it was suspect: the next look removes them, and two lists prove it.
  const provenMs = lostMs + everyMs + 2 * hurriedMs;
  expect(provenMs + defaultBackoff.baseMs).toBeLessThan(60_000);
});
