import { OstlerError } from "../errors.ts";

/** Event streams that one caller may keep open at once. */
export interface StreamLimit {
  /** Throws `too_many_requests`; else returns what gives the place back. Calling that twice does nothing more. */
  readonly enter: (principal: string) => () => void;
}

export function createStreamLimit(maxPerPrincipal: number, onChange: (open: number) => void): StreamLimit {
  const open = new Map<string, number>();
  let total = 0;
  const count = (by: number) => {
    total += by;
    onChange(total);
  };
  return {
    enter: (principal) => {
      const before = open.get(principal) ?? 0;
      if (before >= maxPerPrincipal) {
        throw new OstlerError("too_many_requests", `${maxPerPrincipal} event streams are open already (setting OSTLER_MAX_STREAMS)`, {
          details: { maxPerPrincipal },
        });
      }
      open.set(principal, before + 1);
      count(1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        count(-1);
        const now = (open.get(principal) ?? 1) - 1;
        if (now === 0) open.delete(principal);
        else open.set(principal, now);
      };
    },
  };
}
