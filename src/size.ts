const unitsBytes = { "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 } as const;
const pattern = /^(\d{1,15})(Ki|Mi|Gi)?$/;

/** How people write a size, for messages. */
export const sizeForm = "a number of bytes, or one with Ki, Mi or Gi, such as 64Mi";

function isUnit(unit: string): unit is keyof typeof unitsBytes {
  return Object.hasOwn(unitsBytes, unit);
}

/** Bytes of a size such as `4096` or `64Mi`; undefined for anything else, or beyond what a number holds exactly. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ""] = pattern.exec(text) ?? [];
  if (amount === undefined || !isUnit(unit)) return undefined;
  const bytes = Number(amount) * unitsBytes[unit];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
