/**
 * Reads a settings file: YAML 1.2, checked by one zod schema, with every mistake listed at once as
 * "file:line:column path: message", so that a person repairs the file in one go.
 *
 * Unknown keys are mistakes when the schema is made of z.strictObject, and the nearest known key is suggested.
 * Assumes that a settings file is small; a file over MAX_SETTINGS_BYTES is refused before it is parsed.
 */
import { readFileSync, statSync } from "node:fs";
import type { Document } from "yaml";
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { Fault } from "../daemon/core/fault.ts";

export const MAX_SETTINGS_BYTES = 1_048_576;
/** Mistakes listed in one message; the rest are counted. */
export const MAX_LISTED_MISTAKES = 50;

type Path = readonly PropertyKey[];
type Mistake = { readonly offset: number; readonly path: Path; readonly message: string };
type Issue = z.core.$ZodIssue;

/**
 * Reads and checks the file.
 * Throws Fault "settings.invalid" when it cannot be read, is not YAML, or does not match the schema.
 */
export function readSettings<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  let text: string;
  try {
    if (statSync(path).size > MAX_SETTINGS_BYTES) {
      throw new Error(`larger than ${MAX_SETTINGS_BYTES} bytes`);
    }
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("settings.invalid", `${path}: cannot be read (${reason}); name a readable file`, {
      cause,
    });
  }
  return parseSettings(text, path, schema);
}

/** The same from text; `name` is the file name that the mistakes are listed under. */
export function parseSettings<Schema extends z.ZodType>(
  text: string,
  name: string,
  schema: Schema,
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const broken = [...document.errors, ...document.warnings].map((problem) => ({
    offset: problem.pos[0],
    path: [],
    message: firstLine(problem.message),
  }));
  if (broken.length > 0) throw invalid(broken, name, lines);

  const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (result.success) return result.data;
  const mistakes = result.error.issues.flatMap((issue) => mistakesOf(issue, [], document, schema));
  throw invalid(mistakes, name, lines);
}

function invalid(mistakes: readonly Mistake[], name: string, lines: LineCounter): Fault {
  const sorted = [...mistakes].sort((a, b) => a.offset - b.offset);
  const listed = sorted.slice(0, MAX_LISTED_MISTAKES).map((mistake) => {
    const { line, col } = lines.linePos(mistake.offset);
    const where = dotted(mistake.path);
    return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)} ${where === "" ? "" : `${where}: `}${mistake.message}`;
  });
  const more = sorted.length - listed.length;
  if (more > 0) listed.push(`and ${more} more`);
  return new Fault("settings.invalid", `${sorted.length} to repair\n${listed.join("\n")}`);
}

function mistakesOf(issue: Issue, prefix: Path, document: Document, schema: z.ZodType): Mistake[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      offset: keyOffset(document, path, key),
      path: [...path, key],
      message: `unknown setting${suggestion(key, knownKeys(schema, path))}`,
    }));
  }
  if (issue.code === "invalid_union") {
    const values = issue.errors.flatMap(([only, ...more]) =>
      only?.code === "invalid_value" && only.path.length === 0 && more.length === 0 ? only.values : [],
    );
    // Alternatives that are all fixed values: every one of them is told.
    if (values.length >= issue.errors.length && values.length > 0) {
      const message = `Invalid option: expected one of ${values.map((value) => JSON.stringify(value)).join("|")}`;
      return [{ offset: valueOffset(document, path), path, message }];
    }
    // Of the alternatives, the one with the fewest mistakes is most likely the one that was meant.
    const [closest] = [...issue.errors].sort((a, b) => weight(a) - weight(b));
    if (closest !== undefined && closest.length > 0) {
      return closest.flatMap((inner) => mistakesOf(inner, path, document, schema));
    }
  }
  return [{ offset: valueOffset(document, path), path, message: wording(issue, document, path) }];
}

/** An alternative that fails at its root is a worse guess than any number of mistakes inside one. */
function weight(issues: readonly Issue[]): number {
  return issues.some((issue) => issue.path.length === 0 && issue.code !== "unrecognized_keys")
    ? 1_000
    : issues.length;
}

function wording(issue: Issue, document: Document, path: Path): string {
  if (issue.code === "invalid_type" && path.length > 0 && !document.hasIn([...path])) return "is missing";
  return issue.message;
}

/** Where the value stands; for a value that is missing, where the nearest thing around it stands. */
function valueOffset(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: Path, key: string): number {
  const map: unknown = path.length === 0 ? document.contents : document.getIn([...path], true);
  if (isMap(map)) {
    for (const pair of map.items) {
      if (isScalar(pair.key) && String(pair.key.value) === key && pair.key.range) return pair.key.range[0];
    }
  }
  return valueOffset(document, path);
}

/** Keys that the schema allows at the path; of a union, those of all its alternatives. */
function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  let reached: z.core.$ZodType[] = unwrap(schema);
  for (const step of path) {
    reached = reached.flatMap((inner) => childrenOf(inner, step)).flatMap(unwrap);
  }
  return reached.flatMap((inner) => (isObject(inner) ? Object.keys(inner._zod.def.shape) : []));
}

function childrenOf(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  if (isObject(schema)) {
    const child = schema._zod.def.shape[String(step)];
    return child === undefined ? [] : [child];
  }
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "array") return [def.element];
  if (def.type === "record") return [def.valueType];
  return [];
}

/** Strips optional, default and the like, and opens unions. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "pipe") return unwrap(def.in);
  if (def.type === "union") return def.options.flatMap(unwrap);
  return "innerType" in def ? unwrap(def.innerType) : [schema];
}

function isObject(schema: z.core.$ZodType): schema is z.core.$ZodObject {
  return (schema as z.core.$ZodTypes)._zod.def.type === "object";
}

function suggestion(key: string, known: readonly string[]): string {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (best !== undefined && best.distance <= Math.ceil(best.candidate.length / 3)) {
    return `; did you mean "${best.candidate}"?`;
  }
  return known.length === 0 ? "" : `; known here: ${known.join(", ")}`;
}

/** Levenshtein distance in UTF-16 units; keys are short. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchange = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(exchange, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function dotted(path: Path): string {
  return path
    .map((step, index) =>
      typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`,
    )
    .join("");
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? message;
}
