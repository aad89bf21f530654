/**
 * The fonts that characters are drawn with when a printer lacks them, found among the machine's installed fonts.
 *
 * Nanum Gothic Coding comes first because its Latin letters are exactly half as wide as its Hangul, like a receipt
 * printer's; the others fill its gaps: all Hangul and Hanja, then Chinese and Japanese. Debian packages: fonts-nanum
 * (needed), fonts-droid-fallback (Chinese), fonts-symbola
 * (pictographs).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GlobalFonts } from "@napi-rs/canvas";
import { fontCoverage } from "./font-coverage.ts";
import { SYSTEM_FONTS } from "./settings.ts";

/** File names in order of preference. */
const PREFERRED = [
  "NanumGothicCoding.ttf",
  "NanumGothic.ttf",
  "DroidSansFallbackFull.ttf",
  "wqy-microhei.ttc",
  "NotoSansCJK-Regular.ttc",
  "Symbola_hint.ttf",
] as const;
/** The coding font's zero has a dot inside, which closes up in bold print and reads like a struck-out amount. */
const PLAIN_ZERO = "receipt-NanumGothic.ttf";
const MAX_DEPTH = 4;
const MAX_DIRECTORIES = 500;

export type Fonts = {
  /** Family to draw this character with, or undefined when no installed font has it. */
  familyFor(character: string): string | undefined;
};

/** Reads the fonts; with none installed the result has no character. Takes tens of milliseconds, once. */
export function findFonts(directories: readonly string[] = SYSTEM_FONTS): Fonts {
  const paths = locate(directories);
  const loaded = PREFERRED.flatMap((name) => {
    const path = paths.get(name);
    if (path === undefined) return [];
    const family = `receipt-${name}`;
    if (!GlobalFonts.has(family) && GlobalFonts.registerFromPath(path, family) === null) return [];
    return coverageOf(path).map((has) => ({ family, has }));
  });
  return {
    familyFor(character) {
      const code = character.codePointAt(0) ?? 0;
      const plainZero = character === "0" ? loaded.find((font) => font.family === PLAIN_ZERO) : undefined;
      return (plainZero ?? loaded.find((font) => font.has(code)))?.family;
    },
  };
}

/** A damaged font file counts as missing. */
function coverageOf(path: string): ((codePoint: number) => boolean)[] {
  try {
    return [fontCoverage(readFileSync(path))];
  } catch {
    return [];
  }
}

function locate(directories: readonly string[]): Map<string, string> {
  const wanted: ReadonlySet<string> = new Set(PREFERRED);
  const found = new Map<string, string>();
  const queue = directories.map((path) => ({ path, depth: 0 }));
  for (let visited = 0; visited < MAX_DIRECTORIES; visited += 1) {
    const next = queue.shift();
    if (next === undefined) break;
    for (const entry of entriesOf(next.path)) {
      const path = join(next.path, entry.name);
      if (entry.isDirectory() && next.depth < MAX_DEPTH) queue.push({ path, depth: next.depth + 1 });
      else if (wanted.has(entry.name) && !found.has(entry.name)) found.set(entry.name, path);
    }
  }
  return found;
}

/** A directory that is not there holds no fonts. */
function entriesOf(path: string): readonly { name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
