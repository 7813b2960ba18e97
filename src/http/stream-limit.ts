import { OstlerError } from "../errors.ts";

/** Event streams that one caller may keep open at once. */
export interface StreamLimit {
  /** Throws `too_many_requests`; else returns what gives the place back. Calling that twice does nothing more. */
  readonly enter: (principal: string) => () => void;
  readonly open: () => number;
}

export function createStreamLimit(maxPerPrincipal: number): StreamLimit {
  const open = new Map<string, number>();
  return {
    enter: (principal) => {
      const count = open.get(principal) ?? 0;
      if (count >= maxPerPrincipal) {
        throw new OstlerError("too_many_requests", `${maxPerPrincipal} event streams are open already`, { details: { maxPerPrincipal } });
      }
      open.set(principal, count + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const now = (open.get(principal) ?? 1) - 1;
        if (now === 0) open.delete(principal);
        else open.set(principal, now);
      };
    },
    open: () => [...open.values()].reduce((sum, count) => sum + count, 0),
  };
}
