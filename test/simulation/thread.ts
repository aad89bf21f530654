/** A worker thread of the command: runs the seeds that it is given and sends back what came of them. */
import { parentPort } from "node:worker_threads";
import { runSeed } from "./seeds.ts";

parentPort?.on("message", ({ from, count }: { readonly from: number; readonly count: number }) => {
  for (let seed = from; seed < from + count; seed += 1) parentPort?.postMessage(runSeed(seed));
  parentPort?.postMessage(null);
});
