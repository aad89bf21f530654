/** The settings page, generated from the one schema: every key with its type, default and meaning. */
import { z } from "zod";
import { configSchema } from "./config.ts";

type Node = {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  anyOf?: Node[];
  enum?: unknown[];
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  minimum?: number;
  maximum?: number;
};

/** Markdown: one table row a setting, nested keys joined by dots. */
export function settingsPage(): string {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as Node;
  const rows = rowsOf(schema, "", "required");
  return [
    "# Settings of the terminal daemon",
    "",
    "`saypayd --print-settings` prints this page from the schema that checks the file.",
    "",
    "| setting | value | default | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** `required`: what a key that cannot be left out says, which in a section that can be left out is less. */
function rowsOf(node: Node, prefix: string, required: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const isRequired = node.required?.includes(key) ?? false;
    if (child.properties !== undefined)
      return rowsOf(child, path, isRequired ? required : `required with \`${path}\``);
    const standard = child.default === undefined ? (isRequired ? required : "") : show(child.default);
    return [`| \`${path}\` | ${kindOf(child)} | ${standard} | ${child.description ?? ""} |`];
  });
}

function kindOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map(show).join(", ");
  if (node.const !== undefined) return show(node.const);
  if (node.anyOf !== undefined) return node.anyOf.map(kindOf).join(", ");
  const range =
    node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER
      ? ` ${node.minimum ?? 0} to ${node.maximum}`
      : "";
  return `${node.type ?? "value"}${node.type === "array" && node.items ? ` of ${kindOf(node.items)}` : ""}${range}`;
}

function show(value: unknown): string {
  return `\`${typeof value === "bigint" ? value.toString() : JSON.stringify(value)}\``;
}
