/** What a terminal costs the machine: time from start to ready, memory of every process, bytes on disk. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Counter } from "../support/counter.ts";
import { ROOT } from "../support/program.ts";
import { spread, table } from "./figures.ts";
import { endWhenInterrupted } from "./interruption.ts";
import type { BenchOptions } from "./main.ts";

export const summary = "cold start to ready, resident memory of every process, installed size";

const STARTS = 5;
const SETTLE_MS = 3_000;
const MIB = 1_048_576;

export async function footprint(options: BenchOptions): Promise<void> {
  const counter = new Counter();
  endWhenInterrupted(counter);
  const sellingMs: number[] = [];
  const readyMs: number[] = [];
  let memory: { process: string; residentMiB: number }[] = [];
  try {
    await counter.startSurroundings();
    for (let start = 0; start < STARTS; start++) {
      const began = performance.now();
      await counter.startDaemon();
      sellingMs.push(performance.now() - began);
      await counter.whenReady();
      readyMs.push(performance.now() - began);
      if (start === STARTS - 1) memory = await residents(counter);
      await counter.daemon.end();
    }
  } finally {
    await counter.stop();
  }
  const installed = {
    nodeModulesMiB: mebibytes(join(ROOT, "node_modules")),
    compiledMiB: mebibytes(join(ROOT, "dist")),
    modelsMiB: mebibytes(join(ROOT, "models", "bundled")),
  };
  const figures = {
    starts: STARTS,
    listeningMs: spread(sellingMs),
    allDevicesReadyMs: spread(readyMs),
    memory,
    installed,
  };
  if (options.json) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
  const { listeningMs, allDevicesReadyMs } = figures;
  const rows: (string | number)[][] = [
    ["start to journal open and display listening, ms (median)", listeningMs.median],
    ["start to every device and model open, link up, ms (median)", allDevicesReadyMs.median],
    ...memory.map(({ process: name, residentMiB }) => [`resident memory of ${name}, MiB`, residentMiB]),
    ["node modules, every platform's binaries included, MiB", installed.nodeModulesMiB],
    ["compiled program, MiB", installed.compiledMiB],
    ["bundled models, MiB", installed.modelsMiB],
  ];
  process.stdout.write(`${table(rows)}\n`);
}

async function residents(counter: Counter): Promise<{ process: string; residentMiB: number }[]> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const { pid, children } = await counter.health();
  const all = [
    { name: "saypayd (core)", pid },
    ...children.flatMap((child) => (child.pid === undefined ? [] : [{ name: child.name, pid: child.pid }])),
    { name: "ledger", pid: counter.ledger.pid },
  ];
  return all.map(({ name, pid: process }) => ({ process: name, residentMiB: residentMiB(process) }));
}

/** VmRSS of proc(5), in kibibytes there. */
function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}

function mebibytes(folder: string): number {
  const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return Math.round(bytes / MIB);
}
