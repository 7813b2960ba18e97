/** Cores as Kubernetes writes them: `2`, `0.5`, `500m` -> thousandths of a core; undefined for what is not at least one of those. */
export function parseCpu(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(m?)$/.exec(text);
  if (!match) return undefined;
  const [, amount, unit] = match;
  if (unit === "m" && !Number.isInteger(Number(amount))) return undefined;
  const thousandths = unit === "m" ? Number(amount) : Math.round(Number(amount) * 1000);
  return thousandths >= 1 ? thousandths : undefined;
}

export function checkCpu(text: string | undefined, report: (message: string) => void): void {
  if (text !== undefined && parseCpu(text) === undefined) report(`"${text}" is not an amount of cpu, write cores such as 2, 0.5 or 500m`);
}
