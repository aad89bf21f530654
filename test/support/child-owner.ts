/** A stand-in for the daemon, run as a program: supervises one child and prints its process id, to be killed in a test. */
import { fileURLToPath } from "node:url";
import { SupervisedChild } from "../../daemon/shell/supervisor.ts";
import { silentLog } from "./silent-log.ts";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const entry = fileURLToPath(new URL("./obedient-child.js", import.meta.url));
  const child = new SupervisedChild({ name: "owned", entry, unit: "any", settings: null }, silentLog);
  child.onState((state) => {
    if (state.kind === "running") process.stdout.write(`${state.pid}\n`);
  });
  child.start();
}
