/**
 * Plain data as JSON text with one form per value, because journal hashes are made over it: object keys in the order of
 * RFC 8785 section 3.2.3 (UTF-16 code units), no white space, absent and undefined properties alike. JSON has no bigint;
 * 15000n is {"$bigint":"15000"}, which a person can read in the journal, and an own key that begins with "$" gets a
 * second one, so that nothing else reads as a bigint.
 */

/** Deeper data is a mistake; the core's values are a dozen levels deep. */
export const MAX_DEPTH = 64;

/** Throws TypeError for what is not plain data: functions, symbols, class instances, NaN, infinity, cycles. */
export function toCanonicalJson(value: unknown): string {
  return write(value, 0);
}

/** Reads what `toCanonicalJson` wrote. Throws SyntaxError. */
export function fromCanonicalJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => (isObject(value) ? revive(value) : value));
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH)
    throw new TypeError(`data nested deeper than ${MAX_DEPTH} levels cannot be journalled`);
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be journalled`);
      return JSON.stringify(value);
    case "bigint":
      return `{"$bigint":"${value}"}`;
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return writeArray(value, depth);
      return writeObject(value, depth);
    default:
      throw new TypeError(`a value of type ${typeof value} cannot be journalled`);
  }
}

/** By index, because a hole is undefined and refused; map() would pass over it. */
function writeArray(items: readonly unknown[], depth: number): string {
  let text = "";
  for (let index = 0; index < items.length; index += 1)
    text += `${index === 0 ? "" : ","}${write(items[index], depth + 1)}`;
  return `[${text}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`an instance of ${value.constructor.name} cannot be journalled`);
  }
  // Written on the way of every sale: keys are sorted in place (by UTF-16 code units) and nothing else is made of them.
  const record = value as Readonly<Record<string, unknown>>;
  let text = "";
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) continue;
    const name = JSON.stringify(key.startsWith("$") ? `$${key}` : key);
    text += `${text === "" ? "" : ","}${name}:${write(member, depth + 1)}`;
  }
  return `{${text}}`;
}

function revive(value: Readonly<Record<string, unknown>>): unknown {
  const keys = Object.keys(value);
  if (!keys.some((key) => key.startsWith("$"))) return value;
  const digits = value["$bigint"];
  if (typeof digits === "string") return BigInt(digits);
  // fromEntries defines own properties, so that a key such as "__proto__" stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.startsWith("$") ? key.slice(1) : key, member]),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
