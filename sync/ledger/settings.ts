/** The ledger's settings file: one schema for the type, the defaults and the checks. Paths are relative to the file. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { readSettings } from "../settings-file.ts";
import { isTerminalId } from "../wire.ts";
import { SANDBOX_SETTINGS } from "./gateways/sandbox/sandbox.ts";

const text = z.string().trim().min(1);
const port = z.int().min(0).max(65_535);
/** Merchants are part of account names: no separator of those may occur. */
const merchant = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, dot, dash, underscore");
const terminal = z
  .string()
  .refine(isTerminalId, '1 to 64 letters, digits, ".", "-" or "_", starting with a letter or digit');

const certificate = { cert: text, key: text };

const embedded = z
  .strictObject({
    host: text.default("127.0.0.1"),
    port: port.default(1883).describe("0 takes any free port"),
    tls: z
      .strictObject({
        ...certificate,
        ca: text.optional().describe("demand client certificates of this authority"),
      })
      .optional(),
  })
  .refine((given) => isLoopback(given.host) || given.tls?.ca !== undefined, {
    path: ["tls"],
    message: "a broker that others can reach needs tls with cert, key and ca; or use host 127.0.0.1",
  });

const outside = z.strictObject({
  url: z.url({ protocol: /^(mqtts?|wss?)$/ }).describe("e.g. mqtts://broker.example:8883"),
  protocol: z
    .union([z.literal(4), z.literal(5)])
    .default(5)
    .describe("MQTT 5, or 4 for brokers of MQTT 3.1.1"),
  username: text.optional(),
  password: text.optional(),
  tls: z.strictObject({ ca: text.optional(), cert: text.optional(), key: text.optional() }).optional(),
});

const broker = z
  .strictObject({ embedded: embedded.optional(), outside: outside.optional() })
  .refine(
    (given) => (given.embedded === undefined) !== (given.outside === undefined),
    "give either embedded (a broker inside the ledger) or outside (the address of one)",
  );

const http = z
  .strictObject({
    host: text.default("127.0.0.1"),
    port: port.default(8090).describe("0 takes any free port"),
    token: z.string().min(16).optional().describe("callers must send it as Authorization: Bearer"),
  })
  .refine((given) => isLoopback(given.host) || given.token !== undefined, {
    path: ["token"],
    message: "books that others can reach need a token; or use host 127.0.0.1",
  });

const milliseconds = z.int().min(10).max(86_400_000);

const gateway = z.strictObject({
  id: z.literal("sandbox"),
  timeoutMs: milliseconds.default(6_000).describe("how long one call may take before the charge is pending"),
  settings: SANDBOX_SETTINGS.prefault({}),
});

const resolver = z.strictObject({
  intervalMs: milliseconds.default(500).describe("between two looks at what is unresolved"),
  firstRetryMs: milliseconds.default(1_000),
  maxRetryMs: milliseconds.default(3_600_000),
});

const terminals = z
  .strictObject({
    acceptAny: z
      .boolean()
      .default(false)
      .describe("sell for the default merchant whoever asks; not for a real shop"),
    known: z
      .array(z.strictObject({ id: terminal, merchant: merchant.optional() }))
      .max(100_000)
      .default([]),
  })
  .refine((given) => given.acceptAny || given.known.length > 0, {
    path: ["known"],
    message: "list the terminals, or set acceptAny: true for a trial",
  });

export const LEDGER_SETTINGS = z.strictObject({
  data: text.default("ledger-data").describe("folder of the books, the keys and the sandbox"),
  merchant: merchant.describe("whom terminals sell for that name no merchant of their own"),
  terminals,
  broker: broker.prefault({ embedded: {} }),
  http: http.prefault({}),
  gateway: gateway.prefault({ id: "sandbox" }),
  resolver: resolver.prefault({}),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
});

export type LedgerSettings = z.output<typeof LEDGER_SETTINGS>;

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Reads the file, with its paths made absolute. Throws Fault "settings.invalid" with every mistake. */
export function readLedgerSettings(path: string): LedgerSettings {
  const settings = readSettings(path, LEDGER_SETTINGS);
  const here = (file: string): string => resolve(dirname(path), file);
  const { embedded: inside, outside: beyond } = settings.broker;
  return {
    ...settings,
    data: here(settings.data),
    broker: {
      ...(inside === undefined ? {} : { embedded: withFiles(inside, here) }),
      ...(beyond === undefined ? {} : { outside: withFiles(beyond, here) }),
    },
  };
}

function withFiles<Part extends { tls?: Files | undefined }, Files extends object>(
  part: Part,
  here: (file: string) => string,
): Part {
  if (part.tls === undefined) return part;
  const files = Object.entries(part.tls).map(([name, file]) => [
    name,
    typeof file === "string" ? here(file) : file,
  ]);
  return { ...part, tls: Object.fromEntries(files) };
}

/** The merchant that a terminal sells for, undefined for one that is not known. */
export function merchantOf(settings: LedgerSettings): (terminal: string) => string | undefined {
  const known = new Map(
    settings.terminals.known.map(({ id, merchant: own }) => [id, own ?? settings.merchant]),
  );
  return (id) => known.get(id) ?? (settings.terminals.acceptAny ? settings.merchant : undefined);
}
