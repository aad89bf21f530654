/**
 * Who may import whom: the table of the architecture, checked on the source text.
 *
 *     node dist/provisioning/import-rules.js [FOLDER]
 *
 * Reads static and dynamic imports, re-exports and `import("...")` types with literal specifiers. A relative import must
 * stay inside its own room or lead to a room that the table names. Prints one line a violation and exits 1.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A room is a path prefix; the longest that fits wins. Each lists what it may import besides itself. */
export const ROOMS: { readonly [room: string]: readonly string[] | "everything" } = {
  "daemon/core": [],
  "daemon/shell": ["daemon/core", "drivers/driver.ts", "models/model.ts", "sync/store", "sync/uplink"],
  "daemon/display": ["daemon/core", "daemon/shell/observation.ts"],
  daemon: "everything",
  "drivers/registry.ts": ["daemon/core", "drivers"],
  "drivers/settings.ts": ["daemon/core", "drivers"],
  "drivers/host.ts": ["daemon/core", "daemon/shell/child-host.ts", "drivers"],
  "models/host.ts": ["daemon/core", "daemon/shell/child-host.ts", "models"],
  drivers: ["daemon/core"],
  models: ["daemon/core"],
  // An entry point: it reads the menu file as the daemon does.
  "models/hearing/hear.ts": ["daemon/core", "daemon/menu-file.ts", "models"],
  "sync/wire": ["daemon/core"],
  "sync/wire.ts": ["daemon/core", "sync/wire"],
  "sync/settings-file.ts": ["daemon/core"],
  "sync/store": ["daemon/core", "sync/wire", "sync/wire.ts"],
  "sync/uplink": ["daemon/core", "sync/wire", "sync/wire.ts", "sync/store"],
  "sync/ledger": ["daemon/core", "sync/wire", "sync/wire.ts", "sync/settings-file.ts"],
  provisioning: ["daemon/core", "sync/wire", "sync/wire.ts"],
  test: "everything",
};

/** Each of these has its own folder a device, and the folders do not know each other. */
const SEPARATE = "drivers/";

const SKIPPED = new Set(["node_modules", "dist", ".git", ".cache", "bundled", "training"]);
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)["']([^"']+)["']/g;

export type Violation = { readonly file: string; readonly imports: string; readonly why: string };

/** Checks one file's text. `file` is its path from the root, with forward slashes. */
export function violationsOf(file: string, source: string): Violation[] {
  const from = roomOf(file);
  const found: Violation[] = [];
  for (const [, specifier] of source.matchAll(SPECIFIER)) {
    if (specifier === undefined) continue;
    const why = specifier.startsWith(".") ? judge(file, from, specifier) : judgePackage(from, specifier);
    if (why !== null) found.push({ file, imports: specifier, why });
  }
  return found;
}

function judgePackage(from: string, specifier: string): string | null {
  return from === "daemon/core" ? `the core imports nothing outside itself, not even ${specifier}` : null;
}

function judge(file: string, from: string, specifier: string): string | null {
  const target = normalize(join(dirname(file), specifier));
  const to = roomOf(target);
  if (target.startsWith("test/") && !file.startsWith("test/")) return "nothing imports the tests";
  const allowed = ROOMS[from];
  if (allowed === undefined) return `${file} is in no room of the table`;
  if (allowed === "everything") return null;
  if (
    separateFolder(file) !== null &&
    separateFolder(target) !== null &&
    separateFolder(file) !== separateFolder(target)
  ) {
    return "drivers do not import each other";
  }
  if (to === from || allowed.some((room) => target === room || target.startsWith(`${room}/`))) return null;
  return `${from} may import ${allowed.join(", ") || "nothing"}, not ${to}`;
}

function roomOf(path: string): string {
  const fitting = Object.keys(ROOMS).filter((room) => path === room || path.startsWith(`${room}/`));
  return fitting.sort((a, b) => b.length - a.length)[0] ?? path;
}

/** "drivers/printer" for a file in a device's folder, null elsewhere. */
function separateFolder(path: string): string | null {
  if (!path.startsWith(SEPARATE)) return null;
  const rest = path.slice(SEPARATE.length).split("/");
  return rest.length > 1 ? SEPARATE + (rest[0] ?? "") : null;
}

/** Every TypeScript file below the root, as paths from the root. */
export function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?ts$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => path.includes("/") && !path.split("/").some((part) => SKIPPED.has(part)));
}

function main(root: string): void {
  const files = sourceFiles(root);
  if (files.length === 0) throw new Error(`${root} has no source files to check`);
  const violations = files.flatMap((file) => violationsOf(file, readFileSync(join(root, file), "utf8")));
  for (const { file, imports, why } of violations) console.error(`${file}: import of "${imports}": ${why}`);
  if (violations.length > 0) process.exit(1);
  console.log(`import directions hold in ${files.length} files`);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(resolve(process.argv[2] ?? "."));
}
