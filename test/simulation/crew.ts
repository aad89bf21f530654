/** The threads that share the seeds of one command, a handful at a time. */
import { Worker } from "node:worker_threads";
import type { SeedResult } from "./seeds.ts";

/** Seeds that a thread takes at once. */
const HANDFUL = 8;
/** Room for young objects: a world makes many and keeps few, and the default of 16 MiB collects all the time. */
const YOUNG_MIB = 128;

export type Crew = {
  /** Resolves when all seeds are run, or soon after `stop`. */
  readonly done: Promise<void>;
  readonly stop: () => void;
};

export function startCrew(
  seeds: { readonly from: number; readonly count: number },
  threads: number,
  take: (result: SeedResult) => void,
): Crew {
  let next = seeds.from;
  const end = seeds.from + seeds.count;
  const workers = Array.from(
    { length: threads },
    () =>
      new Worker(new URL("./thread.js", import.meta.url), {
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
      }),
  );
  const done = Promise.all(workers.map(async (worker) => serve(worker))).then(() => undefined);
  return {
    done,
    stop: () => {
      next = end;
      for (const worker of workers) void worker.terminate();
    },
  };

  async function serve(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const hand = (): void => {
        const count = Math.min(HANDFUL, end - next);
        if (count <= 0) {
          void worker.terminate();
          return;
        }
        worker.postMessage({ from: next, count });
        next += count;
      };
      worker.on("message", (result: SeedResult | null) => (result === null ? hand() : take(result)));
      worker.on("error", reject);
      worker.on("exit", () => resolve());
      hand();
    });
  }
}
