import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RootGroupMessage } from "../../../../src/actors/root-group/messages.ts";
import type { RootGroupState } from "../../../../src/actors/root-group/state.ts";
import type { Stage } from "../stage.ts";
import { enqueue, rootGroup, stageRootGroup, told } from "./cast.ts";

const runs = ["a", "b", "c", "d", "e", "f", "g"];
const aRun = fc.constantFrom(...runs);

const aMessage: fc.Arbitrary<RootGroupMessage> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        run: aRun,
        priority: fc.integer({ min: 0, max: 1 }),
        queueTimeoutMs: fc.constantFrom(1_000, 1e9),
        key: fc.constantFrom("x", "y", undefined),
        policy: fc.constantFrom("queue" as const, "queue" as const, "cancel-queued" as const, "cancel-running" as const),
      })
      .map(({ run, key, policy, ...rest }) =>
        enqueue(run, { ...rest, ...(key === undefined ? {} : { concurrency: { key, limit: key === "x" ? 1 : 2, policy } }) }),
      ),
  },
  { weight: 4, arbitrary: aRun.map((run) => ({ type: "run-ended" as const, run })) },
  { weight: 1, arbitrary: fc.boolean().map((on) => ({ type: "maintenance" as const, on })) },
  { weight: 1, arbitrary: fc.constant({ type: "tick" as const }) },
);

type RootGroupStage = Stage<RootGroupState, RootGroupMessage>;

function play(
  messages: readonly RootGroupMessage[],
  look: (stage: RootGroupStage, said: readonly string[], index: number) => void,
): RootGroupStage {
  const stage = stageRootGroup();
  messages.forEach((message, index) => {
    look(stage, told(stage.tell(message, 1_000 + index * 100).effects), index);
  });
  return stage;
}

const messages = fc.array(aMessage, { minLength: 1, maxLength: 60, size: "max" });
const often = { numRuns: 100 };

describe("whatever a root group is told, in whatever order and how often", () => {
  it("never has more holders of a key than its limit", () => {
    fc.assert(
      fc.property(messages, (all) => {
        play(all, (stage) => {
          for (const [key, { holders }] of stage.state().lines) expect(holders.size).toBeLessThanOrEqual(key === "x" ? 1 : 2);
        });
      }),
      often,
    );
  });

  it("lets nobody wait for a key that has room, unless there is maintenance", () => {
    fc.assert(
      fc.property(messages, (all) => {
        play(all, (stage) => {
          const { maintenance, lines, unkeyed } = stage.state();
          if (maintenance) return;
          expect(unkeyed.chunks).toEqual([]);
          for (const [key, { holders, queue }] of lines) if (holders.size < (key === "x" ? 1 : 2)) expect(queue.chunks).toEqual([]);
        });
      }),
      often,
    );
  });

  it("starts nothing during maintenance", () => {
    fc.assert(
      fc.property(messages, (all) => {
        play(all, (stage, said) => {
          if (stage.state().maintenance) expect(said.filter((line) => line.startsWith("start"))).toEqual([]);
        });
      }),
      often,
    );
  });

  it("has an open deadline while anybody waits or holds a place, and is forgotten when nobody does", () => {
    fc.assert(
      fc.property(messages, (all) => {
        const stage = play(all, () => {});
        const { queued, holders } = stage.state();
        if (queued.size + holders.size > 0) expect(rootGroup.deadline(stage.state())).toBeDefined();
        stage.tell({ type: "maintenance", on: false }, 9_000);
        for (const run of runs) stage.tell({ type: "run-ended", run }, 9_000);
        for (const run of runs) stage.tell({ type: "run-ended", run }, 9_000);
        stage.commit();
        expect(stage.stored().state).toBeNull();
        expect(rootGroup.deadline(stage.state())).toBeUndefined();
      }),
      often,
    );
  });

  it("stores exactly what it knows", () => {
    fc.assert(
      fc.property(messages, (all) => {
        const stage = play(all, (now, _, index) => {
          if (index % 3 === 0) now.commit();
        });
        stage.commit();
        const seen = pictureOf(stage.state());
        stage.takeOver("s2");
        expect(pictureOf(stage.state())).toEqual(seen);
      }),
      often,
    );
  });
});

function pictureOf({ maintenance, queued, holders, lines, unkeyed, expiries, cancelled }: RootGroupState): unknown {
  const byKey = <Value>(map: ReadonlyMap<string, Value>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...{ maintenance, queued: byKey(queued), holders: byKey(holders), cancelled: [...cancelled].sort() },
    lines: byKey(lines).map(([key, line]) => [key, byKey(line.holders), line.queue.chunks.flat()]),
    ...{ unkeyed: unkeyed.chunks.flat(), expiries: expiries.chunks.flat() },
  };
}
