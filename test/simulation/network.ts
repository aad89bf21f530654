/**
 * The broker and the lines to it. A message that was handed over may be lost, come twice, come late and out of order,
 * or come torn; a line may be cut for minutes without either end noticing at once; the broker may restart and forget;
 * a second connection under a terminal's name takes the first one's place.
 *
 * Assumed, because TLS gives it: bytes that arrive whole in the `up` direction are those that were sent. Answers are
 * signed, so in the `down` direction they may be forged as well.
 */
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { Broker, BrokerEvents } from "../../sync/uplink/broker.ts";
import { decodeDown, encodeSigned } from "../../sync/wire.ts";
import type { FaultPlace, Faults } from "./faults.ts";
import { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the broker keeps for a ledger that is away; more is dropped. */
const KEPT_FOR_LEDGER = 200;

export type NetworkPorts = {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly seed: number;
  /** A request has come to the ledger. */
  readonly arrived: (terminal: string, bytes: Uint8Array) => void;
  readonly note: (place: string, what: string, detail?: string) => void;
};

type Connection = { readonly events: BrokerEvents; alive: boolean };

type Line = {
  readonly terminal: string;
  readonly random: Random;
  readonly faults: FaultPlace;
  connection: Connection | null;
  cut: boolean;
  /** Messages of one connection do not overtake each other: nothing arrives before these times. */
  upFloorMs: number;
  downFloorMs: number;
};

export class Network {
  readonly #ports: NetworkPorts;
  readonly #lines = new Map<string, Line>();
  readonly #kept: { readonly terminal: string; readonly bytes: Uint8Array }[] = [];
  readonly #retained = new Map<string, Uint8Array>();
  #brokerUp = true;
  #ledgerOnline = false;
  #presence: boolean | null = null;

  constructor(ports: NetworkPorts) {
    this.#ports = ports;
  }

  /** One machine's way to the broker under a terminal's name. */
  brokerFor(terminal: string): Broker & { cutOff(): void } {
    const line = this.#line(terminal);
    let mine: Connection | null = null;
    const drop = (): void => {
      if (mine === null) return;
      mine.alive = false;
      if (line.connection === mine) line.connection = null;
      mine = null;
    };
    return {
      connect: (events) => {
        const connection: Connection = { events, alive: true };
        mine = connection;
        this.#attempt(line, connection);
      },
      send: (bytes) => {
        if (mine !== null && line.connection === mine) this.#up(line, bytes);
      },
      close: async () => drop(),
      cutOff: drop,
    };
  }

  /** The ledger comes (back) to the broker, or its last will says that it is gone. */
  ledgerOnline(online: boolean): void {
    if (this.#ledgerOnline === online) return;
    this.#ledgerOnline = online;
    if (!this.#brokerUp) return;
    this.#setPresence(online);
    if (online) for (const { terminal, bytes } of this.#kept.splice(0)) this.#deliverUp(terminal, bytes);
  }

  /** An answer of the ledger. */
  down(terminal: string, bytes: Uint8Array): void {
    const line = this.#line(terminal);
    const connection = line.connection;
    if (!this.#brokerUp || !this.#ledgerOnline || connection === null) return;
    const arrive = (arrived: Uint8Array): void => {
      if (connection.alive && line.connection === connection && !line.cut)
        connection.events.onMessage(arrived);
    };
    if (line.faults.strikes("answer-forged"))
      this.#ports.scheduler.after(1, () => arrive(forged(bytes, line.faults.random("answer-forged"))));
    line.downFloorMs = this.#carry(line, bytes, line.downFloorMs, arrive);
  }

  /** The retained deny list of a terminal: whoever connects gets the newest one. */
  retain(terminal: string, bytes: Uint8Array): void {
    if (!this.#brokerUp || !this.#ledgerOnline) return;
    const line = this.#line(terminal);
    const { connection } = line;
    this.#retained.set(terminal, bytes);
    if (connection === null) return;
    this.#carry(line, bytes, line.downFloorMs, (arrived) => {
      if (connection.alive && line.connection === connection && !line.cut)
        connection.events.onDenyList(arrived);
    });
  }

  /** Cuts a line for a while; both ends notice late or never. */
  partition(terminal: string, lastMs: number, noticedMs: number): void {
    const line = this.#line(terminal);
    if (line.cut) return;
    const { connection } = line;
    line.cut = true;
    this.#ports.note(terminal, "line cut", `${lastMs} ms`);
    this.#ports.scheduler.after(lastMs, () => {
      line.cut = false;
      // A connection that nobody gave up goes on, and what the broker had to say of the ledger comes through now.
      if (connection !== null) this.#tellPresence(line, connection);
    });
    if (noticedMs < lastMs && connection !== null) {
      this.#ports.scheduler.after(noticedMs, () => this.#lose(line, connection, "keep-alive"));
    }
  }

  restartBroker(awayMs: number): void {
    if (!this.#brokerUp) return;
    this.#ports.note("broker", "restarts", `${awayMs} ms`);
    this.#brokerUp = false;
    this.#presence = null;
    this.#kept.length = 0;
    for (const line of this.#lines.values()) {
      if (line.connection !== null) this.#lose(line, line.connection, "broker gone");
    }
    this.#ports.scheduler.after(awayMs, () => {
      this.#brokerUp = true;
      this.#ports.scheduler.after(500, () => {
        if (this.#ledgerOnline) this.#setPresence(true);
      });
    });
  }

  /** Somebody else connects under the terminal's name. */
  takeSession(terminal: string): void {
    const line = this.#line(terminal);
    if (line.connection !== null) this.#lose(line, line.connection, "session taken over");
  }

  #line(terminal: string): Line {
    let line = this.#lines.get(terminal);
    if (line === undefined) {
      line = {
        terminal,
        random: new Random(this.#ports.seed, `line ${terminal}`),
        faults: this.#ports.faults.at(`line-${terminal}`),
        connection: null,
        cut: false,
        upFloorMs: 0,
        downFloorMs: 0,
      };
      this.#lines.set(terminal, line);
    }
    return line;
  }

  #attempt(line: Line, connection: Connection): void {
    this.#ports.scheduler.after(line.random.whole(5, 80), () => {
      if (!connection.alive) return;
      if (line.cut || !this.#brokerUp) {
        connection.alive = false;
        connection.events.onLost("cannot reach the broker");
        return;
      }
      if (line.connection !== null && line.connection !== connection) {
        this.#lose(line, line.connection, "session taken over");
      }
      line.connection = connection;
      connection.events.onConnected();
      this.#ports.scheduler.after(line.random.whole(2, 20), () => this.#greet(line, connection));
    });
  }

  /** What a fresh subscription brings: the retained messages. */
  #greet(line: Line, connection: Connection): void {
    if (!connection.alive || line.connection !== connection) return;
    const retained = this.#retained.get(line.terminal);
    if (retained !== undefined) connection.events.onDenyList(retained);
    if (this.#presence !== null && connection.alive) connection.events.onPresence(this.#presence);
  }

  #lose(line: Line, connection: Connection, reason: string): void {
    if (!connection.alive || line.connection !== connection) return;
    connection.alive = false;
    line.connection = null;
    connection.events.onLost(reason);
  }

  #setPresence(online: boolean): void {
    this.#presence = online;
    for (const line of this.#lines.values()) {
      const { connection } = line;
      if (connection === null) continue;
      this.#ports.scheduler.after(line.random.whole(2, 20), () => this.#tellPresence(line, connection));
    }
  }

  #tellPresence(line: Line, connection: Connection): void {
    if (connection.alive && line.connection === connection && !line.cut && this.#presence !== null)
      connection.events.onPresence(this.#presence);
  }

  #up(line: Line, bytes: Uint8Array): void {
    if (line.cut || !this.#brokerUp) return;
    line.upFloorMs = this.#carry(line, bytes, line.upFloorMs, (arrived) => {
      if (this.#brokerUp) this.#deliverUp(line.terminal, arrived);
    });
  }

  #deliverUp(terminal: string, bytes: Uint8Array): void {
    if (this.#ledgerOnline) return this.#ports.arrived(terminal, bytes);
    if (this.#kept.length < KEPT_FOR_LEDGER) this.#kept.push({ terminal, bytes });
  }

  /** Carries bytes over a line with everything that may happen to them; gives the new floor. */
  #carry(line: Line, bytes: Uint8Array, floorMs: number, arrive: (bytes: Uint8Array) => void): number {
    const { scheduler } = this.#ports;
    const { faults, random } = line;
    const nowMs = scheduler.nowMs;
    if (faults.strikes("message-lost")) return floorMs;
    if (faults.strikes("message-late")) {
      scheduler.after(faults.random("message-late").spread(50, 120_000), () => arrive(bytes));
      return floorMs;
    }
    const whole = !faults.strikes("message-torn");
    const sent = whole ? bytes : bytes.subarray(0, faults.random("message-torn").whole(0, bytes.length - 1));
    const atMs = Math.max(floorMs, nowMs + random.whole(2, 40));
    scheduler.after(atMs - nowMs, () => arrive(sent));
    if (faults.strikes("message-doubled")) {
      scheduler.after(atMs - nowMs + faults.random("message-doubled").spread(1, 60_000), () => arrive(sent));
    }
    return atMs;
  }
}

/** The same message with something else in it: another outcome, or a bit that was turned round. */
function forged(bytes: Uint8Array, random: Random): Uint8Array {
  const { content, terminal, signature } = decodeDown(bytes);
  if (content.kind === "answer" && random.chance(0.7)) {
    const said = content.answer.outcome.kind;
    const outcome: LedgerOutcome =
      said === "approved" ? { kind: "declined", reason: "not-honoured", gateway: "" } : { kind: "reversed" };
    return encodeSigned({
      terminal,
      content: { kind: "answer", answer: { ...content.answer, outcome } },
      signature,
    });
  }
  const other = Uint8Array.from(bytes);
  const at = random.whole(0, other.length - 1);
  other[at] = (other[at] ?? 0) ^ (1 << random.whole(0, 7));
  return other;
}
