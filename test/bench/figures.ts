/** Percentiles and a plain table, shared by the benchmarks. */

/** The q-quantile (0 to 1) by linear interpolation; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export type Spread = { readonly median: number; readonly p95: number };

/** Median and 95th percentile, rounded to a tenth. */
export function spread(values: readonly number[]): Spread {
  const round = (value: number): number => Math.round(value * 10) / 10;
  return { median: round(quantile(values, 0.5)), p95: round(quantile(values, 0.95)) };
}

/** Columns padded to their widest cell; the first is left-aligned, the others right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map(String));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join("  "),
    )
    .join("\n");
}
