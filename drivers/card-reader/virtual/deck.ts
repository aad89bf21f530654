/**
 * The cards that can be laid on the virtual reader, by name, and their memory on disk.
 *
 *   genuine, genuine-...   a card of this shop; each name is another UID
 *   forged                 a UID of its own and the right metadata key, but the file-read key is a guess
 *   wrong                  a bank card: it knows the payment environment and not the NDEF application
 *   replay                 a copy of the last message that `genuine` gave; its counter never grows
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { CardKeys } from "../keys.ts";
import { cardFileReadKey } from "../ntag424.ts";
import { type CardUid, Secret } from "../secret.ts";
import { ANSWER, Ntag424Applet, type ReadCounter, respond, TYPE_4_ATR, type VirtualCard } from "./applet.ts";

/** `{"genuine": 12}`: the last counter of each card, by name. */
type Memory = Record<string, number>;

export type DeckSettings = {
  readonly keys: CardKeys;
  readonly systemIdentifier: Uint8Array;
  readonly url: string;
  readonly stateFile: string;
};

const CARD_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u;
/** 325041592E5359532E4444463031: "2PAY.SYS.DDF01", EMV Book B 12.3, which every contactless bank card answers. */
const PAYMENT_ENVIRONMENT = Buffer.from("2PAY.SYS.DDF01", "ascii");

export class Deck {
  readonly #settings: DeckSettings;
  readonly #memory: Memory;
  readonly #cards = new Map<string, VirtualCard>();
  #lastGenuine: readonly RecordedAnswer[] = [];

  constructor(settings: DeckSettings) {
    this.#settings = settings;
    this.#memory = readMemory(settings.stateFile);
  }

  /** The card of that name, made at its first use; null when no such card can exist. */
  card(name: string): VirtualCard | null {
    if (name === "replay") return new ReplayingCard(this.#lastGenuine);
    const known = this.#cards.get(name);
    if (known !== undefined) return known;
    const made = this.#make(name);
    if (made !== null) this.#cards.set(name, made);
    return made;
  }

  counter(name: string): number {
    return this.#memory[name] ?? 0;
  }

  #make(name: string): VirtualCard | null {
    if (name === "wrong") return new BankCard();
    if (!CARD_NAME.test(name) || !(name === "forged" || name.startsWith("genuine"))) return null;
    const { keys, systemIdentifier, url } = this.#settings;
    const uid = uidOf(name);
    const fileReadKey =
      name === "forged"
        ? new Secret<"aes-key">(randomBytes(16))
        : cardFileReadKey(keys.fileReadMaster, uid, systemIdentifier);
    const counter = this.#counterOf(name);
    const applet = new Ntag424Applet({ uid, metaReadKey: keys.metaReadKey, fileReadKey, counter, url });
    return name === "genuine"
      ? new RecordedCard(applet, (answers) => {
          this.#lastGenuine = answers;
        })
      : applet;
  }

  #counterOf(name: string): ReadCounter {
    return {
      value: () => this.counter(name),
      increase: () => {
        const next = this.counter(name) + 1;
        this.#memory[name] = next;
        // Written before the answer leaves, as the chip does: a counter must not fall back after a crash.
        writeFileSync(`${this.#settings.stateFile}.new`, JSON.stringify(this.#memory));
        renameSync(`${this.#settings.stateFile}.new`, this.#settings.stateFile);
        return next;
      },
    };
  }
}

function readMemory(path: string): Memory {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`${path} is not a card memory`);
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1])),
  );
}

/** 04h is NXP's manufacturer code (ISO/IEC 7816-6); the rest is fixed by the name. */
export function uidOf(name: string): CardUid {
  return new Secret(
    Uint8Array.from([
      0x04,
      ...createHash("sha256").update(`saypay virtual card ${name}`).digest().subarray(0, 6),
    ]),
  );
}

type RecordedAnswer = { readonly command: string; readonly answer: Uint8Array };
/** One reading is about seven commands; more than this is a loop, and only the last ones matter. */
const RECORDED_LIMIT = 64;

/** Passes everything on and keeps what was said since the field came, as an eavesdropper would. */
class RecordedCard implements VirtualCard {
  readonly atr: Uint8Array;
  readonly #card: VirtualCard;
  readonly #keep: (answers: readonly RecordedAnswer[]) => void;
  #answers: RecordedAnswer[] = [];

  constructor(card: VirtualCard, keep: (answers: readonly RecordedAnswer[]) => void) {
    this.atr = card.atr;
    this.#card = card;
    this.#keep = keep;
  }

  reset(): void {
    this.#card.reset();
    this.#answers = [];
  }

  answer(apdu: Uint8Array): Uint8Array {
    const answer = this.#card.answer(apdu);
    this.#answers = [...this.#answers, { command: Buffer.from(apdu).toString("hex"), answer }].slice(
      -RECORDED_LIMIT,
    );
    this.#keep(this.#answers);
    return answer;
  }
}

/** Says again, command by command, what was overheard. */
class ReplayingCard implements VirtualCard {
  readonly atr = TYPE_4_ATR;
  readonly #answers: ReadonlyMap<string, Uint8Array>;

  constructor(answers: readonly RecordedAnswer[]) {
    this.#answers = new Map(answers.map(({ command, answer }) => [command, answer]));
  }

  reset(): void {}

  answer(apdu: Uint8Array): Uint8Array {
    return this.#answers.get(Buffer.from(apdu).toString("hex")) ?? respond(ANSWER.instructionUnknown);
  }
}

/** Enough of an EMV card to be one: it answers the payment environment and refuses everything of ours. */
class BankCard implements VirtualCard {
  /** Historical bytes as contactless bank cards have them. */
  readonly atr = Uint8Array.from([0x3b, 0x80, 0x80, 0x01, 0x01]);

  reset(): void {}

  answer(apdu: Uint8Array): Uint8Array {
    const isSelect = apdu[1] === 0xa4 && apdu[2] === 0x04;
    const name = Buffer.from(apdu.subarray(5, 5 + (apdu[4] ?? 0)));
    if (!isSelect) return respond(apdu[0] === 0xff ? ANSWER.classUnknown : ANSWER.noFileSelected);
    if (!name.equals(PAYMENT_ENVIRONMENT)) return respond(ANSWER.notFound);
    return respond(ANSWER.success, Uint8Array.from([0x6f, name.length + 2, 0x84, name.length, ...name]));
  }
}
