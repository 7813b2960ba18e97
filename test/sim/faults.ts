import type { World } from "./world.ts";

/** How much of what was answered a restart or a fail-over may lose: everysec loses a second. */
const longestLossMs = 1_000;

type Fault = (world: World) => void;

/** Everything that may go wrong once, with how often it does, relatively. To add one: an entry here. */
const repertoire: readonly (readonly [weight: number, fault: Fault])[] = [
  [4, killScheduler],
  [4, freezeScheduler],
  [2, stopScheduler],
  [2, cutSchedulerOff],
  [8, killExecutor],
  [6, freezeExecutor],
  [3, cutExecutorOff],
  [2, executorLeaves],
  [2, crashHost],
  [2, freezeRedis],
  [2, fillRedis],
  [2, cordonExecutor],
  [2, deleteExecutor],
  [1, maintenance],
];

/** Only in every second world: for a while after a roll-back, less can be promised. */
const amnesia: typeof repertoire = [
  [15, restartRedis],
  [15, failOver],
];

const faultsPerWorld = 18;

/** Plans faults until `untilMs`. What it returns ends all trouble: who is dead is started again, nothing is lost any more. */
export function planFaults(world: World, untilMs: number): () => void {
  const { chance, timeline, faults } = world;
  let isCalm = false;
  const bag = [...repertoire, ...(chance.happens(0.5) ? amnesia : [])].flatMap(([weight, fault]) =>
    Array.from({ length: weight }, () => fault),
  );
  for (let count = 0; count < faultsPerWorld; count++) {
    const fault = bag[chance.between(0, bag.length - 1)];
    timeline.after(chance.between(5_000, untilMs), () => {
      if (isCalm || !fault) return;
      world.trace(`fault: ${fault.name}`);
      fault(world);
    });
  }
  return () => {
    isCalm = true;
    Object.assign(faults, { duplicate: 0, delay: 0, loseHeartbeat: 0, loseWake: 0 });
    let isOpen = false;
    const reopen = () => {
      isOpen = world.redis.isUp();
      for (const { description } of world.executors) world.operate(description, { type: "uncordon" });
      world.maintain(false);
    };
    const revive = () => {
      if (!isOpen) reopen();
      if (living(world).length === 0) world.startScheduler();
      for (const executor of world.executors) executor.start();
      timeline.after(5_000, revive);
    };
    revive();
  };
}

const living = ({ schedulers }: World) => schedulers.filter(({ process }) => process.isAlive());

function someScheduler(world: World) {
  const alive = living(world);
  return alive[world.chance.between(0, alive.length - 1)];
}

function someExecutor({ executors, chance }: World) {
  return executors[chance.between(0, executors.length - 1)];
}

function replaceLater(world: World): void {
  world.timeline.after(world.chance.between(500, 20_000), world.startScheduler);
}

function killScheduler(world: World): void {
  someScheduler(world)?.process.kill();
  replaceLater(world);
}

function stopScheduler(world: World): void {
  someScheduler(world)?.stop();
  replaceLater(world);
}

/** Often longer than the lease: it wakes up believing that it still owns its shards. */
function freezeScheduler(world: World): void {
  someScheduler(world)?.process.freeze(world.chance.between(500, 15_000));
}

function cutSchedulerOff(world: World): void {
  someScheduler(world)?.process.cutOff(world.chance.between(500, 15_000));
}

function killExecutor(world: World): void {
  const executor = someExecutor(world);
  executor?.kill();
  if (world.chance.happens(0.7)) world.timeline.after(world.chance.between(500, 70_000), () => executor?.start());
}

function freezeExecutor(world: World): void {
  someExecutor(world)?.process()?.freeze(world.chance.between(2_000, 100_000));
}

function cutExecutorOff(world: World): void {
  someExecutor(world)?.process()?.cutOff(world.chance.between(2_000, 100_000));
}

function executorLeaves(world: World): void {
  const executor = someExecutor(world);
  executor?.leave();
  world.timeline.after(world.chance.between(10_000, 60_000), () => executor?.start());
}

/** All executors of a group die, and their pods with them. */
function crashHost(world: World): void {
  const platform = world.platforms[world.chance.between(0, world.platforms.length - 1)];
  if (!platform) return;
  const there = world.executors.filter((executor) => executor.platform === platform);
  platform.crash();
  for (const executor of there) {
    executor.kill();
    if (world.chance.happens(0.8)) world.timeline.after(world.chance.between(1_000, 90_000), executor.start);
  }
}

function freezeRedis({ redis, chance }: World): void {
  redis.restart(redis.snapshot(), chance.between(100, 30_000));
}

function fillRedis({ redis, chance }: World): void {
  redis.fill(chance.between(100, 8_000));
}

/** Comes back without what it was told last. Often before any lease has run out: the old owners' tokens are valid. */
function restartRedis(world: World): void {
  loseLast(world, (disk) => world.redis.restart(disk, world.chance.happens(0.5) ? 0 : world.chance.between(50, 10_000)));
}

function failOver(world: World): void {
  loseLast(world, world.redis.failOver);
}

function loseLast(world: World, happen: (disk: ReturnType<World["redis"]["snapshot"]>) => void): void {
  const disk = world.redis.snapshot();
  world.timeline.after(world.chance.between(1, longestLossMs), () => {
    world.onRollBack();
    happen(disk);
  });
}

/** An operator's change of mind. */
function cordonExecutor(world: World): void {
  const { chance, timeline } = world;
  const description = someExecutor(world)?.description;
  if (!description) return;
  world.operate(description, { type: "cordon", leaveWhenEmpty: false });
  timeline.after(chance.between(1_000, 40_000), () => world.operate(description, { type: "uncordon" }));
}

/** Refused unless the executor is lost; then it has to register anew. */
function deleteExecutor(world: World): void {
  for (const { description } of world.executors) world.operate(description, { type: "delete", force: false });
}

function maintenance(world: World): void {
  world.maintain(true);
  world.timeline.after(world.chance.between(1_000, 20_000), () => world.maintain(false));
}
