import { actor, createdAt, freshlyCreated, runId, storedRun } from "./fixtures.ts";

const n = 10;
const tasks: Record<string, unknown> = {};
for (let i = 0; i < n; i++) tasks[`t${i}`] = { image: "x", steps: [], ...(i > 0 && { depends: [`t${i - 1}`] }) };
const stored = storedRun({ tasks });
const fresh = freshlyCreated(stored);
function once(measure: { open: number; msg: number; bytes: number; n: number }) {
  let t = performance.now();
  let state = actor.decode(runId, fresh);
  measure.open += performance.now() - t;
  let now = createdAt;
  t = performance.now();
  const inbox: unknown[] = [{ type: "create", number: 1 }, { type: "start" }];
  for (let i = 0; i < inbox.length; i++) {
    const m = inbox[i]!;
    now += 1;
    const d = actor.decide(state, actor.parseMessage(m), { now, session: "abcdefgh" });
    for (const c of d.changes) state = actor.apply(state, c);
    const w = actor.encode(runId, state, d.changes);
    measure.bytes = w.state?.length ?? 0;
    actor.deadline(state);
    for (const e of d.effects)
      if (e.type === "send" && e.to.kind === "pool") {
        const msg = e.message as any;
        if (msg.type === "request") {
          const assignment = `${runId}-${msg.task}-${msg.attempt}-abcdefgh`;
          inbox.push({ type: "assigned", task: msg.task, attempt: msg.attempt, assignment, executor: "executor-1" });
          inbox.push({
            type: "attempt-ended",
            assignment,
            outcome: {
              phase: "success",
              startedAt: now + 1,
              finishedAt: now + 2,
              ranStep: false,
              setup: { phase: "success", startedAt: now, finishedAt: now + 1, logSize: 0, logComplete: true },
              steps: [],
            },
          });
        }
      }
  }
  measure.msg += performance.now() - t;
  measure.n += inbox.length;
  return state;
}
const warm = { open: 0, msg: 0, bytes: 0, n: 0 };
for (let i = 0; i < 3000; i++) once(warm);
const m = { open: 0, msg: 0, bytes: 0, n: 0 };
const R = 5000;
const cpu = process.cpuUsage();
for (let i = 0; i < R; i++) once(m);
const used = process.cpuUsage(cpu);
const s = once(m) as any;
console.log({
  phase: s.head.phase,
  result: s.head.result,
  seq: s.head.seq,
  stateBytes: m.bytes,
  openPerTaskUs: (m.open / R / n) * 1000,
  messagesPerTaskUs: (m.msg / R / n) * 1000,
  cpuPerTask: (used.user + used.system) / R / n,
});
