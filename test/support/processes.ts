/** What the tests ask of Linux about processes. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Alive and not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Process ids of the direct children that run `program`. */
export function childrenOf(pid: number, program: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, "utf8");
        return status.includes(`\nPPid:\t${pid}\n`) && status.startsWith(`Name:\t${program}\n`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Resolves when `reached` is true; rejects after `limitMs`, naming `what`. */
export async function until(reached: () => boolean, limitMs: number, what: string): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!reached()) {
    if (performance.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(5);
  }
}

/** The most memory that a process ever had resident: VmHWM of proc(5), in kibibytes there. 0 when it is gone. */
export function peakMemoryMiB(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024);
  } catch {
    return 0;
  }
}
