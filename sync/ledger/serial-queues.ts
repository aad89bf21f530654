/**
 * Work in order, per name: what is asked under one name runs one after the other, different names run side by side.
 * Bounded: a name with `limit` pieces waiting takes no more.
 */
export class SerialQueues {
  readonly #limit: number;
  readonly #tails = new Map<string, { tail: Promise<unknown>; depth: number }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Names with work under way. */
  get busy(): number {
    return this.#tails.size;
  }

  hasRoom(name: string): boolean {
    return (this.#tails.get(name)?.depth ?? 0) < this.#limit;
  }

  /** Runs the work when all earlier work of the name has ended, well or badly. Throws when the queue is full. */
  run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    if (!this.hasRoom(name)) throw new Error(`queue ${name} is full`);
    const queue = this.#tails.get(name) ?? { tail: Promise.resolve(), depth: 0 };
    const result = queue.tail.then(work);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    queue.depth += 1;
    queue.tail = settled.then(() => {
      queue.depth -= 1;
      if (queue.depth === 0) this.#tails.delete(name);
    });
    this.#tails.set(name, queue);
    return result;
  }

  /** Resolves when nothing is under way, including what was added while waiting. */
  async drained(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all([...this.#tails.values()].map((queue) => queue.tail));
  }
}
