/**
 * The only clock and the only queue of a simulated world: a priority queue of closures, ordered by virtual time and,
 * within one millisecond, by when they were put in. No promise and no real timer anywhere: what runs next is decided
 * here and is the same in every run.
 */
export type Cancel = () => void;

/** More than any world needs; a world that gets here goes round in circles. */
const MAXIMUM_STEPS = 20_000_000;

type Entry = { readonly atMs: number; readonly order: number; work: (() => void) | null };

export class Scheduler {
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  readonly #heap: Entry[] = [];

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Calls `work` once after `ms` (whole milliseconds, 0 for soon). */
  after(ms: number, work: () => void): Cancel {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, Math.ceil(ms)), order: this.#order, work };
    this.#order += 1;
    this.#push(entry);
    return () => {
      entry.work = null;
    };
  }

  /** Runs everything that is due until a time; the clock stands there afterwards. */
  runUntil(untilMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.work === null) continue;
      this.#nowMs = next.atMs;
      this.#steps += 1;
      if (this.#steps > MAXIMUM_STEPS) throw new Error("the world does not come to rest");
      next.work();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let smaller = left;
      if (right !== undefined && before(right, left)) {
        smaller = right;
        child += 1;
      }
      if (!before(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
