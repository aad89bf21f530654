/** The settings of the driver "card-reader/pcsc": one schema gives type, defaults, checks and the settings page. */
import { z } from "zod";
import { keySchema } from "./keys.ts";

/** Ends each card's diversification input; a shop that wants cards of its own chooses another. */
export const DEFAULT_SYSTEM_IDENTIFIER = "Saypay";

export const pcscSettings = z
  .strictObject({
    /** Part of the reader's name as PC/SC shows it; without it every reader that is plugged in takes cards. */
    readerName: z.string().min(1).optional(),
    /** Socket of the PC/SC service where it is not the system's own. */
    socket: z.string().min(1).optional(),
    /** The card keys themselves, for tests; a terminal has a key file. */
    keys: keySchema.optional(),
    /** JSON file with the card keys, readable by its owner only. */
    keyFile: z.string().min(1).optional(),
    systemIdentifier: z
      .string()
      .regex(/^[\x21-\x7e]{2,17}$/u, "must be 2 to 17 printable ASCII characters")
      .default(DEFAULT_SYSTEM_IDENTIFIER),
    /** SDMMACInputOffset in the NDEF file; null when the cards have it equal to SDMMACOffset. */
    macInputOffset: z.number().int().min(0).max(255).nullable().default(null),
    /** Longest wait for one answer of reader or card. */
    answerTimeoutMs: z.number().int().min(100).max(10_000).default(1_500),
  })
  .refine((value) => (value.keys === undefined) !== (value.keyFile === undefined), {
    message: "needs either `keys` or `keyFile`",
    path: ["keyFile"],
  });

export type PcscSettings = z.infer<typeof pcscSettings>;
