/** Ends a benchmark's counter when somebody interrupts it, so that no process and no folder stays behind. */
import type { Counter } from "../support/counter.ts";

/** 128 + SIGINT, as a shell counts it. */
const EXIT_INTERRUPTED = 130;

export function endWhenInterrupted(counter: Counter): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void counter.stop().finally(() => process.exit(EXIT_INTERRUPTED)));
  }
}
