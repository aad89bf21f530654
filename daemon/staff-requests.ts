/** What comes over the staff socket, checked before it comes near the desk. Unknown fields are mistakes, not extensions. */
import { z } from "zod";
import type { DeskRequest } from "./shell/staff-desk.ts";

/** Sales that one answer lists at most. */
export const MAXIMUM_SALES = 500;
const LONGEST_NAME = 64;
const LONGEST_KEY = 128;
const LONGEST_AMOUNT = 24;

const sale = z.string().trim().min(1).max(LONGEST_NAME);

export const deskRequest: z.ZodType<DeskRequest> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("sales"), limit: z.number().int().min(1).max(MAXIMUM_SALES) }),
  z.strictObject({ kind: z.literal("void"), sale }),
  z.strictObject({ kind: z.literal("refund"), sale, amount: z.string().max(LONGEST_AMOUNT).nullable() }),
  z.strictObject({ kind: z.literal("reprint"), sale }),
  z.strictObject({ kind: z.literal("close-day"), language: z.enum(["ko", "en", "zh"]).nullable() }),
  z.strictObject({ kind: z.literal("open") }),
  z.strictObject({ kind: z.literal("dismiss"), key: z.string().min(1).max(LONGEST_KEY) }),
  z.strictObject({ kind: z.literal("status") }),
]);

export type SocketError = { readonly kind: "invalid"; readonly detail: string };

/** The request in a line, or what is wrong with it. */
export function readRequest(line: string): DeskRequest | SocketError {
  const invalid = (detail: string): SocketError => ({ kind: "invalid", detail });
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return invalid("not a line of JSON");
  }
  const checked = deskRequest.safeParse(given);
  if (checked.success) return checked.data;
  return invalid(checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}
