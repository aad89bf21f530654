/**
 * Contactless readers behind PC/SC: the driver "card-reader/pcsc". It reads NTAG 424 DNA cards of the shop and reports
 * each tap once, as a token, never as a UID.
 *
 * Armed, it reads the card that lies there or comes next; the first genuine one disarms it. A card whose outcome was
 * reported must be taken away and tapped again before it counts again. Two cards in the field of two slots are refused.
 * The last counter of each card is remembered as long as the process lives; the journal and the ledger remember longer.
 */
import type { Reader } from "nfc-pcsc";
import { pino } from "pino";
import { Fault, type FaultCode } from "../../daemon/core/fault.ts";
import type { CardProblem } from "../../daemon/core/prompt.ts";
import type { CardReaderCommand, CardReaderEvent, Device, Driver, Fingerprint } from "../driver.ts";
import { type CardReading, readCard, type SunSettings } from "./card.ts";
import { loadCardKeys } from "./keys.ts";
import { PcscService } from "./service.ts";
import { type PcscSettings, pcscSettings } from "./settings.ts";
import { Interrupted, Slot } from "./slot.ts";

const fingerprints: readonly Fingerprint[] = [
  { usbVendor: "072f", usbProduct: "2200", name: /ACR122U/u },
  { usbVendor: "072f", usbProduct: "223b", name: /ACR1252/u },
  { usbVendor: "076b", usbProduct: "5022", name: /OMNIKEY 5022/iu },
  { usbVendor: "04e6", usbProduct: "5790", name: /uTrust 3700 F/iu },
  { name: /Virtual PCD/u },
];

/** The slot for a security module inside some readers; what sits there is no customer's card. */
const SECURITY_MODULE = /\bSAM\b/u;
/** How long a service that just came up may take to list its readers. */
const READERS_GRACE_MS = 1_500;
/** Cards whose last counter is remembered; the one not seen for longest is forgotten first. */
const MAX_REMEMBERED_CARDS = 10_000;

export const pcscCardReader: Driver<"card-reader", PcscSettings> = {
  id: "card-reader/pcsc",
  kind: "card-reader",
  settings: pcscSettings,
  fingerprints,
  async open(settings, emit) {
    const reader = new PcscCardReader(settings, emit);
    await reader.open();
    return reader;
  },
};

/** A slot and what became of the card on it. */
type Place = {
  readonly slot: Slot;
  reading: boolean;
  /** The outcome of this card was reported; it must be taken away before it counts again. */
  settled: boolean;
  /** It was taken away while its reading was still under way. */
  removedMeanwhile: boolean;
};

class PcscCardReader implements Device<"card-reader"> {
  readonly #log = pino({ name: "card-reader/pcsc" }, pino.destination(2));
  readonly #settings: PcscSettings;
  readonly #sun: SunSettings;
  readonly #emit: (event: CardReaderEvent) => void;
  readonly #service: PcscService;
  readonly #places = new Set<Place>();
  readonly #ignored = new Set<Reader>();
  readonly #lastCounters = new Map<string, number>();
  #armed = false;
  #closed = false;
  #opened = false;
  #serviceUp = false;
  #graceTimer: NodeJS.Timeout | null = null;
  #fault: FaultCode | null = null;
  #whenReaderComes: (() => void) | null = null;

  constructor(settings: PcscSettings, emit: (event: CardReaderEvent) => void) {
    this.#settings = settings;
    this.#emit = emit;
    this.#sun = {
      keys: loadCardKeys(settings),
      systemIdentifier: Buffer.from(settings.systemIdentifier, "ascii"),
      macInputOffset: settings.macInputOffset,
    };
    this.#service = new PcscService(settings.socket ?? null, {
      connected: () => this.#serviceConnected(),
      reader: (reader) => this.#readerCame(reader),
      lost: (detail) => this.#serviceLost(detail),
    });
  }

  async open(): Promise<void> {
    const readerCame = new Promise<void>((resolve) => {
      this.#whenReaderComes = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    const missing = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Fault("card.reader-missing", this.#missingDetail())),
        READERS_GRACE_MS,
      );
    });
    missing.catch(() => undefined);
    try {
      await this.#service.start();
      await Promise.race([readerCame, missing]);
      this.#opened = true;
      this.#judge();
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async command(command: CardReaderCommand): Promise<void> {
    if (this.#closed) throw new Fault("card.reader-missing", "the card reader was closed");
    this.#armed = command.kind === "arm";
    for (const place of this.#places) this.#consider(place);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#armed = false;
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
    await Promise.all([...this.#places].map((place) => place.slot.close()));
    this.#places.clear();
    for (const reader of this.#ignored) reader.close();
    this.#service.close();
  }

  #serviceConnected(): void {
    this.#graceTimer = setTimeout(() => {
      this.#graceTimer = null;
      this.#serviceUp = true;
      this.#judge();
    }, READERS_GRACE_MS);
  }

  #serviceLost(detail: string): void {
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
    this.#graceTimer = null;
    this.#serviceUp = false;
    this.#judge(detail);
    this.#ignored.clear();
    for (const place of this.#places) place.slot.end();
  }

  #readerCame(reader: Reader): void {
    const { readerName } = this.#settings;
    if (
      SECURITY_MODULE.test(reader.name) ||
      (readerName !== undefined && !reader.name.includes(readerName))
    ) {
      return this.#ignore(reader);
    }
    const slot = new Slot(reader, this.#settings.answerTimeoutMs);
    const place: Place = { slot, reading: false, settled: false, removedMeanwhile: false };
    this.#places.add(place);
    slot.watch({
      presented: () => this.#consider(place),
      removed: () => this.#removed(place),
      stuck: () => this.#judge(slot.name),
      answering: () => this.#judge(),
      broken: (detail) => this.#service.lose(detail),
      ended: () => this.#readerLeft(place),
    });
    this.#serviceUp = true;
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
    this.#graceTimer = null;
    this.#whenReaderComes?.();
    this.#judge();
  }

  #readerLeft(place: Place): void {
    this.#places.delete(place);
    this.#judge(place.slot.name);
  }

  /** A reader that is not ours still needs a listener for its errors, or they would end the process. */
  #ignore(reader: Reader): void {
    reader.autoProcessing = false;
    reader.connect = async () => undefined;
    reader.on("error", () => undefined);
    reader.on("end", () => this.#ignored.delete(reader));
    this.#ignored.add(reader);
  }

  #removed(place: Place): void {
    if (place.reading) {
      place.removedMeanwhile = true;
      return;
    }
    place.settled = false;
    this.#report({ kind: "removed" });
  }

  #consider(place: Place): void {
    if (!this.#armed || !place.slot.present || place.settled || place.reading || place.slot.stuck) return;
    const present = [...this.#places].filter(({ slot }) => slot.present);
    if (present.length > 1) {
      for (const other of present) other.settled = true;
      this.#report({ kind: "rejected", reason: "two-cards" });
      return;
    }
    place.reading = true;
    place.slot
      .read((transmit) => readCard(transmit, this.#sun))
      .then(
        (reading) => this.#outcome(place, this.#judgeCounter(reading)),
        (error: unknown) => {
          if (!(error instanceof Interrupted)) throw error;
          const readerFault = error.reason === "no-answer" || place.slot.ended;
          this.#log.info({ reader: place.slot.name, err: error }, "reading interrupted");
          this.#outcome(place, rejected(readerFault ? "reader-fault" : "torn-away"));
        },
      );
  }

  /** A copy of an earlier message carries an earlier counter (data sheet, 9.3.1). */
  #judgeCounter(reading: CardReading): CardReaderEvent {
    if (reading.kind === "refused") {
      this.#log.info({ reason: reading.reason, detail: reading.detail }, "card refused");
      return rejected(reading.reason);
    }
    const { token, masked, counter } = reading;
    const last = this.#lastCounters.get(token);
    if (last !== undefined && counter <= last) return rejected("replayed");
    this.#lastCounters.delete(token);
    this.#lastCounters.set(token, counter);
    const [oldest] = this.#lastCounters.keys();
    if (this.#lastCounters.size > MAX_REMEMBERED_CARDS && oldest !== undefined)
      this.#lastCounters.delete(oldest);
    return { kind: "card", token, masked, counter, verified: true };
  }

  #outcome(place: Place, event: CardReaderEvent): void {
    place.reading = false;
    // Disarmed meanwhile: nothing is said and the card may be read again. Settled meanwhile: a second card came.
    if (this.#armed && !place.settled) {
      place.settled = true;
      if (event.kind === "card") this.#armed = false;
      this.#report(event);
    }
    if (!place.removedMeanwhile) return;
    place.removedMeanwhile = false;
    place.settled = false;
    this.#report({ kind: "removed" });
    this.#consider(place);
  }

  /** Says what is wrong now when that changed: the service before the reader before a slot that does not answer. */
  #judge(detail = ""): void {
    const now = this.#faultNow();
    if (now === this.#fault || !this.#opened || this.#graceTimer !== null) return;
    this.#fault = now;
    if (now === null) this.#report({ kind: "recovered" });
    else
      this.#report({
        kind: "fault",
        code: now,
        detail: now === "card.reader-missing" ? this.#missingDetail() : detail,
      });
  }

  #faultNow(): FaultCode | null {
    if (!this.#serviceUp) return "card.service-down";
    if (this.#places.size === 0) return "card.reader-missing";
    return [...this.#places].some(({ slot }) => slot.stuck) ? "card.reader-hung" : null;
  }

  #missingDetail(): string {
    const { readerName } = this.#settings;
    return readerName === undefined ? "plug one in" : `plug in one whose name contains "${readerName}"`;
  }

  #report(event: CardReaderEvent): void {
    if (!this.#closed) this.#emit(event);
  }
}

function rejected(reason: CardProblem): CardReaderEvent {
  return { kind: "rejected", reason };
}
