/** Where to cut the power in a recorded run: around the syncs, while the log is copied into the file, and anywhere. */
import { type Disk, type DiskImage, pick, type Random } from "./disk.ts";
import type { DiskOperation } from "./record.ts";

export type CutReport = {
  readonly cuts: number;
  /** Cuts at which something was not durable yet. */
  readonly withLosses: number;
  /** Cuts after which more was there than had been promised: it came through whole. */
  readonly morePreserved: number;
  readonly violations: readonly string[];
};

/** The cut comes when so many operations have been made. Ascending; some come twice, with other losses. */
export function cutPoints(operations: readonly DiskOperation[], random: Random, count: number): number[] {
  const aroundSyncs = operations.flatMap(({ kind }, at) => (kind === "sync" ? [at, at + 1] : []));
  const namesAndSizes = operations.flatMap(({ kind }, at) =>
    kind === "move" || kind === "remove" || kind === "resize" || kind === "open" ? [at, at + 1] : [],
  );
  const checkpoints = checkpointWrites(operations);
  const points = Array.from({ length: count }, (_, index) => {
    const turn = index % 8;
    if (turn < 3 && aroundSyncs.length > 0) return pick(random, aroundSyncs);
    if (turn < 5 && checkpoints.length > 0) return pick(random, checkpoints);
    if (turn < 6 && namesAndSizes.length > 0) return pick(random, namesAndSizes);
    return Math.floor(random() * (operations.length + 1));
  });
  return points.sort((a, b) => a - b);
}

/** Points inside SQLite's checkpoints: writes to the file that the log belongs to. */
function checkpointWrites(operations: readonly DiskOperation[]): number[] {
  const logs = new Map<string, boolean>();
  return operations.flatMap((operation, at) => {
    if (operation.kind === "open") logs.set(operation.opening, /-(wal|journal|shm)$/.test(operation.path));
    return operation.kind === "write" && logs.get(operation.opening) === false ? [at + 1] : [];
  });
}

/** How often an SQLite log was written from its front (sqlite.org/walformat.html: its header begins it anew). */
export function logsBegunIn(operations: readonly DiskOperation[]): number {
  const logs = new Set<string>();
  let begun = 0;
  for (const operation of operations) {
    if (operation.kind === "open" && operation.path.endsWith("-wal")) logs.add(operation.opening);
    else if (operation.kind === "open" || operation.kind === "close") logs.delete(operation.opening);
    else if (operation.kind === "write" && operation.offset === 0 && logs.has(operation.opening)) begun += 1;
  }
  return begun;
}

export function sumOf(reports: readonly CutReport[]): CutReport {
  const sum = (of: (report: CutReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    cuts: sum(({ cuts }) => cuts),
    withLosses: sum(({ withLosses }) => withLosses),
    morePreserved: sum(({ morePreserved }) => morePreserved),
    violations: reports.flatMap(({ violations }) => violations),
  };
}

/** Goes through the run once and calls `look` with the disk as it may be found after each cut. */
export function cutEach(
  operations: readonly DiskOperation[],
  disk: Disk,
  points: readonly number[],
  random: Random,
  look: (image: DiskImage, point: number) => void,
): void {
  let made = 0;
  for (const point of points) {
    for (const operation of operations.slice(made, point)) disk.apply(operation);
    made = point;
    look(disk.cut(random), point);
  }
}
