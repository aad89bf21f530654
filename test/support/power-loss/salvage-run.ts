/**
 * The program whose salvage is recorded: `node salvage-run.js FOLDER CONTENT`. Opens the damaged journal in FOLDER as the
 * daemon does, which sets it aside and makes a successor, and writes to CONTENT what that one holds.
 */
import { openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { END, MARKS } from "./recorder.ts";
import { salvagedContentOf } from "./salvage-cuts.ts";

const [, , folder = "", contentFile = ""] = process.argv;
const marks = openSync(join(folder, MARKS), "w");
const { content } = salvagedContentOf(folder);
writeSync(marks, "salvaged\n");
writeFileSync(contentFile, content);
writeSync(marks, `${END}\n`);
process.kill(process.pid, "SIGKILL");
