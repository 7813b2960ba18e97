const sizeUnits = { "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 } as const;

/** `64Mi` -> 67108864 bytes; undefined for what is not a size of at least one byte. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})(Ki|Mi|Gi|)$/.exec(text);
  if (!match) return undefined;
  const [, amount, unit] = match;
  // The pattern allows the names of `sizeUnits` only.
  const bytes = Number(amount) * sizeUnits[unit as keyof typeof sizeUnits];
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Cores as Kubernetes writes them: `2`, `0.5`, `500m` -> thousandths of a core; undefined for what is not at least one of those. */
export function parseCpu(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(m?)$/.exec(text);
  if (!match) return undefined;
  const [, amount, unit] = match;
  if (unit === "m" && !Number.isInteger(Number(amount))) return undefined;
  const thousandths = unit === "m" ? Number(amount) : Math.round(Number(amount) * 1000);
  return thousandths >= 1 ? thousandths : undefined;
}

export function checkSize(text: string | undefined, report: (message: string) => void): void {
  if (text !== undefined && parseSize(text) === undefined) report(`"${text}" is not a size, write bytes or a number and one of Ki, Mi, Gi`);
}

export function checkCpu(text: string | undefined, report: (message: string) => void): void {
  if (text !== undefined && parseCpu(text) === undefined) report(`"${text}" is not an amount of cpu, write cores such as 2, 0.5 or 500m`);
}
