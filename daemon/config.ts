/**
 * The daemon's settings file: one schema gives the type, the defaults, the checks and the settings page
 * (`saypayd --print-settings`). Paths in the file are relative to the file. The menu has a file of its own.
 */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { DRIVER_SETTINGS } from "../drivers/settings.ts";
import { readSettings } from "../sync/settings-file.ts";
import { Fault } from "./core/fault.ts";
import type { Menu } from "./core/menu.ts";
import type { SaleSettings } from "./core/settings.ts";
import { readMenu } from "./menu-file.ts";

/** The recogniser that comes with the project. */
export const BUNDLED = "bundled";

const text = z.string().trim().min(1);
const milliseconds = z.number().int().min(100).max(86_400_000);
const minorUnits = z.number().int().min(0).max(1_000_000_000);

const merchant = z.strictObject({
  name: text.describe("shop name on the receipt"),
  registration: text.describe("business registration number, e.g. 123-45-67890"),
  address: text,
  phone: text,
  representative: text,
});

const tls = z.strictObject({
  ca: text.describe("PEM file of the certificate authority that signed the broker's certificate"),
  cert: text.describe("PEM file of this terminal's certificate"),
  key: text.describe("PEM file of this terminal's private key"),
});

const ledger = z.strictObject({
  broker: z.url({ protocol: /^(mqtts?|wss?)$/ }).describe("broker address, e.g. mqtts://ledger.example:8883"),
  publicKey: text.describe("PEM file of the ledger's signing key; answers without its signature are refused"),
  username: text.exactOptional(),
  password: text.exactOptional(),
  tls: tls.exactOptional(),
});

const hearing = z.strictObject({
  model: text.default(BUNDLED).describe('folder of a recogniser, or "bundled"'),
  endpointing: z.enum(["aggressive", "default", "relaxed"]).default("default"),
  threads: z.number().int().min(1).max(16).default(2),
});

const speaking = z.strictObject({
  rate: z.number().int().min(80).max(400).default(170).describe("words a minute"),
  volume: z.number().int().min(0).max(200).default(100).describe("percent"),
});

const display = z.strictObject({
  host: text.default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535).default(8080).describe("0 takes any free port"),
});

const quantities = z.strictObject({
  questionAbove: z.number().int().min(1).default(10).describe("larger quantities are asked back"),
  refuseAbove: z.number().int().min(1).default(99),
  lines: z.number().int().min(1).max(100).default(20).describe("lines in one order"),
});

const offline = z.strictObject({
  enabled: z.boolean().default(true),
  perSale: minorUnits.default(50_000).describe("largest sale without the ledger, minor units"),
  total: minorUnits.default(500_000).describe("sum of the sales that may wait, minor units"),
  count: z.number().int().min(1).default(50),
  maxAgeMs: milliseconds.default(86_400_000).describe("age of the oldest sale that waits"),
  perCard: z.number().int().min(1).default(3).describe("sales that may wait from one card"),
  perCardPerHour: z
    .number()
    .int()
    .min(1)
    .default(3)
    .describe("sales of one card within an hour, settled or not"),
});

const dialogue = z.strictObject({
  minimumConfidence: z.number().min(0).max(1).default(0.4),
  noInputMs: milliseconds.default(8_000),
  misses: z.number().int().min(1).max(10).default(3).describe("misses in a row before staff is called"),
});

const payment = z.strictObject({
  cardMs: milliseconds.default(60_000),
  answerMs: milliseconds.default(8_000),
  queryMs: milliseconds.default(4_000),
  queries: z.number().int().min(0).max(20).default(5),
  attempts: z.number().int().min(1).max(10).default(3),
});

const receipt = z.strictObject({
  printMs: milliseconds.default(15_000).describe("longest time for one receipt"),
  retryMs: milliseconds.default(3_000).describe("wait after paper out or an open cover"),
  attempts: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("then staff is alarmed and the next sale may begin"),
});

const journal = z.strictObject({
  keepDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe("sales can be refunded and reprinted here for so long; the ledger keeps them for good"),
  keepEvents: z.number().int().min(1_000).default(20_000).describe("events that stay however old they are"),
});

/** A section whose keys all have defaults may be left out. */
function section<Schema extends z.ZodObject>(schema: Schema): z.ZodPrefault<Schema> {
  return schema.prefault({} as z.input<Schema>);
}

export const configSchema = z.strictObject({
  terminal: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "lower-case letters, digits and dashes")
    .describe("this terminal's name; also its user name at the broker"),
  language: z.enum(["ko", "en"]).default("ko"),
  data: text.default("data").describe("folder of the journal and the caches"),
  menu: text.describe("menu file"),
  merchant,
  microphone: section(DRIVER_SETTINGS["microphone/alsa"]),
  speaker: section(DRIVER_SETTINGS["speaker/alsa"]),
  cardReader: DRIVER_SETTINGS["card-reader/pcsc"],
  printer: DRIVER_SETTINGS["printer/escpos"],
  ledger,
  hearing: section(hearing),
  speaking: section(speaking),
  display: section(display),
  quantities: section(quantities),
  offline: section(offline),
  dialogue: section(dialogue),
  payment: section(payment),
  receipt: section(receipt),
  journal: section(journal),
  log: section(z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") })),
});

export type Config = Omit<z.infer<typeof configSchema>, "menu"> & { readonly menu: Menu };

/** Reads settings and menu. Throws Fault "settings.invalid" with every mistake as file:line:column. */
export function readConfig(path: string): Config {
  const here = (file: string): string => resolve(dirname(path), file);
  const config = settingsOf(path, here);
  const { cardReader, hearing: ears, ledger: given } = config;
  const { tls: files, ...rest } = given;
  return {
    ...config,
    data: here(config.data),
    menu: readMenu(here(config.menu)),
    cardReader:
      cardReader.keyFile === undefined ? cardReader : { ...cardReader, keyFile: here(cardReader.keyFile) },
    hearing: { ...ears, model: ears.model === BUNDLED ? BUNDLED : here(ears.model) },
    ledger: {
      ...rest,
      publicKey: here(given.publicKey),
      ...(files === undefined
        ? {}
        : { tls: { ca: here(files.ca), cert: here(files.cert), key: here(files.key) } }),
    },
  };
}

/** The settings. Where they have mistakes, those of the menu that they name are told with them. */
function settingsOf(path: string, here: (file: string) => string): z.output<typeof configSchema> {
  try {
    return readSettings(path, configSchema);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const menu = faultOf(() => readSettings(path, z.looseObject({ menu: text })).menu);
    const menuFault = menu instanceof Fault ? null : faultOf(() => readMenu(here(menu)));
    const details = [cause.detail, ...(menuFault instanceof Fault ? [menuFault.detail] : [])];
    throw new Fault("settings.invalid", details.join("\n"), { cause });
  }
}

function faultOf<Value>(read: () => Value): Value | Fault {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Fault) return cause;
    throw cause;
  }
}

/** The part that the core decides by; it is journalled when it changes. */
export function saleSettings(config: Config): SaleSettings {
  const { terminal, menu, quantities, dialogue: talk, payment: pay, receipt: paper } = config;
  const { perSale, total, ...limits } = config.offline;
  return {
    terminal,
    merchant: config.merchant,
    menu,
    quantities,
    offline: { ...limits, perSaleMinor: BigInt(perSale), totalMinor: BigInt(total) },
    dialogue: talk,
    payment: pay,
    receipt: paper,
  };
}
