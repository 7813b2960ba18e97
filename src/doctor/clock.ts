import { type Finding, failed, ok, warning } from "./finding.ts";

/** Network time keeps machines within milliseconds of each other; a second means that it is not at work. */
const noticeableMs = 1_000;

export interface ClockReading {
  /** What was asked, such as `redis.clock`. */
  readonly check: string;
  /** Whose clock it is, in words. */
  readonly whose: string;
  /** What that clock said (ms since the epoch). */
  readonly otherMs: number;
  /** What ours said before asking and after the answer. */
  readonly askedMs: number;
  readonly answeredMs: number;
  /** How far off the clocks may be before ostler does harm: steps not started in time, pods fenced too early or late. */
  readonly toleratedMs: number;
}

/** Compares a foreign clock with ours. What the question took on its way is in nobody's favour. */
export function judgeClock({ check, whose, otherMs, askedMs, answeredMs, toleratedMs }: ClockReading): Finding {
  const skewMs = Math.max(0, askedMs - otherMs, otherMs - answeredMs);
  const direction = otherMs > answeredMs ? "ahead of" : "behind";
  const message = `${whose} is ${(skewMs / 1000).toFixed(1)} s ${direction} this machine's clock`;
  if (skewMs <= noticeableMs) return ok(check, `${whose} agrees with this machine's`);
  const advice = "set both machines by network time (chrony, systemd-timesyncd)";
  return skewMs > toleratedMs ? failed(check, message, advice) : warning(check, message, advice);
}
