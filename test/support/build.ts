/**
 * Compiles the tree once before the tests run, because tests of whole processes start the same
 * JavaScript that production starts. Type errors are the business of `npm run check`.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export default function buildOnce(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const built = spawnSync("bash", ["provisioning/build.sh"], { cwd: root, encoding: "utf8" });
  if (built.status !== 0) console.error(`The build reports mistakes:\n${built.stdout}${built.stderr}`);
}
