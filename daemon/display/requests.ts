/** What a display may ask for, checked before it comes near the core. Unknown fields are mistakes, not extensions. */
import { z } from "zod";
import type { BasketEdit, Intent } from "../core/intent.ts";
import type { View } from "../core/view.ts";

const LONGEST_ID = 40;
const LARGEST_QUANTITY = 1_000_000;
const MAXIMUM_EDITS = 20;

/** What the terminal can answer in; Chinese comes with its prompts. */
const language = z.enum(["ko", "en"]);
const quantity = z.number().int().min(1).max(LARGEST_QUANTITY);
const options = z.record(z.string().max(LONGEST_ID), z.string().max(LONGEST_ID));
const itemId = z.string().max(LONGEST_ID);

const edit: z.ZodType<BasketEdit> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("add"), itemId, quantity, options: options.default({}) }),
  z.strictObject({
    kind: z.literal("remove"),
    itemId,
    quantity: quantity.exactOptional(),
    options: options.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("set-quantity"),
    itemId,
    quantity: z.number().int().min(0).max(LARGEST_QUANTITY),
  }),
  z.strictObject({ kind: z.literal("set-options"), itemId, quantity: quantity.exactOptional(), options }),
]);

const intent: z.ZodType<Intent> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("edit"), edits: z.array(edit).min(1).max(MAXIMUM_EDITS) }),
  z.strictObject({ kind: z.literal("ask-price"), itemId: itemId.exactOptional() }),
  ...(["confirm", "deny", "pay", "cancel", "repeat", "help", "staff"] as const).map((kind) =>
    z.strictObject({ kind: z.literal(kind) }),
  ),
]);

/** What the customer had before their eyes when they touched. */
const seen = z.strictObject({
  saleId: z.string().max(LONGEST_ID),
  totalMinor: z.string().max(LONGEST_ID),
});

export const wakeBody = z.strictObject({ language: language.optional() });
export const turnBody = z.strictObject({
  intent,
  language: language.optional(),
  seen: seen.optional(),
});

/** A yes to an amount or an order that is no longer the one on the display is no consent. */
export function isStillSo(view: View, shown: z.infer<typeof seen>): boolean {
  return view.saleId === shown.saleId && view.total.minor.toString() === shown.totalMinor;
}

/** The body as JSON; an empty one counts as {}. Undefined when it is not JSON. */
export async function readJson(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
