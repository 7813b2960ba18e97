const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A size in bytes as people say it: `512 B`, `3.4 MiB`. */
export function formatSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`;
}
