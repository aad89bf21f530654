/** Ends what a benchmark started when somebody interrupts it, so that no process and no folder stays behind. */

/** 128 + SIGINT, as a shell counts it. */
const EXIT_INTERRUPTED = 130;

export function endWhenInterrupted(started: { stop(): Promise<unknown> }): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void started.stop().finally(() => process.exit(EXIT_INTERRUPTED)));
  }
}
