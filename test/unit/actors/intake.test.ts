import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createIntake } from "../../../src/actors/intake.ts";
import { type OwnedShard, ownShard } from "../../../src/actors/owned-shards.ts";

const now = 1_000;
const letters = [["run/a", { type: "start" }]] as const;

/** Positions that have killed three processes: as a shard's strikes tell each that takes over. */
function intakeAfter(...killers: readonly string[]) {
  return createIntake({
    strike: async (_, position) => (killers.includes(position) ? 3 : 1),
    scheduler: "d",
    now: () => now,
    log: pino({ level: "silent" }),
  });
}

/** A shard whose last owner was killed by its batch, with a tick that is due or an entry that waits. */
function struckShard({ due }: { readonly due: boolean }): OwnedShard {
  const found = { number: 0, deadlines: due ? [{ actor: "run/a", at: now }] : [], recorded: [], struck: true };
  const shard = ownShard({ shard: 0, token: "t", session: "s", found });
  if (!due) shard.pending.push({ shard: 0, id: "1-0", letters, raw: JSON.stringify(letters) });
  return shard;
}

const quarantining = { shard: 0, letters: [["run/a", { type: "quarantine", reason: "a message to it killed its owner" }]] };

describe("after three owners were killed", () => {
  it("by a tick, it is put aside and its run quarantined", async () => {
    expect(await intakeAfter("tick:run/a")(struckShard({ due: true }))).toEqual([quarantining]);
  });

  it("by an entry, it is put aside unseen and its runs quarantined", async () => {
    const items = await intakeAfter("entry:1-0")(struckShard({ due: false }));
    expect(items).toEqual([{ shard: 0, letters: [], entry: expect.objectContaining({ id: "1-0", letters: undefined }) }, quarantining]);
  });

  it("by a run that cannot even be quarantined, it is left alone, and the shard goes on", async () => {
    const intake = intakeAfter("tick:run/a", "entry:1-0", "quarantine:run/a");
    expect(await intake(struckShard({ due: true }))).toEqual([]);
    expect(await intake(struckShard({ due: false }))).toMatchObject([{ entry: { id: "1-0", letters: undefined } }]);
  });
});
