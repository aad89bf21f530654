/**
 * Compiles the tree once before the tests run, because tests of whole processes start the same
 * JavaScript that production starts.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export default function buildOnce(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  execFileSync("bash", ["provisioning/build.sh"], { cwd: root, stdio: "inherit" });
}
