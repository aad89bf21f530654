/**
 * One run of a daemon: the real recovery, interpreter, core, store and uplink, wired as daemon/terminal.ts and
 * daemon/ledger-link.ts wire them, with a simulated counter and line. Every call of theirs to the outside is a step at
 * which the power may go.
 */
import type { CardProof, LedgerAnswer } from "../../daemon/core/clearing.ts";
import type { SaleEvent } from "../../daemon/core/event.ts";
import { Fault } from "../../daemon/core/fault.ts";
import type { TerminalState } from "../../daemon/core/sale.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import { isRecalling } from "../../daemon/core/standing.ts";
import { type DeviceEffect, type Happening, Interpreter } from "../../daemon/shell/interpreter.ts";
import { forgottenSales, recover } from "../../daemon/shell/recovery.ts";
import { MemoryStore } from "../../sync/store/memory-store.ts";
import type { Broker } from "../../sync/uplink/broker.ts";
import { Uplink } from "../../sync/uplink/uplink.ts";
import { type DownContent, isDenied } from "../../sync/wire.ts";
import { Counter } from "./counter.ts";
import type { Machine, SimCommit, SimStore } from "./machine.ts";
import { type Power, PowerCut } from "./power.ts";
import type { Random } from "./random.ts";
import type { Cancel } from "./scheduler.ts";
import { LEDGER_KEYS } from "./seal.ts";
import type { Spoiled } from "./seams.ts";

export class Life {
  readonly store: SimStore;
  readonly counter: Counter;
  readonly #machine: Machine;
  readonly #power: Power;
  readonly #random: Random;
  readonly #spoiled: Spoiled;
  #alive = true;
  #interpreter: Interpreter | null = null;
  #uplink: Uplink | null = null;
  #cutOff: () => void = () => undefined;

  constructor(machine: Machine, power: Power, random: Random) {
    const { world } = machine;
    this.#machine = machine;
    this.#power = power;
    this.#random = random;
    this.#spoiled = world.spoiledAt(machine.name, machine.clock.now, {
      medium: machine.medium,
      after: (ms, work) => {
        this.after(ms, work);
      },
      answer: (answer) => this.deliver({ kind: "ledger.answered", answer }),
    });
    this.store =
      world.makeStore?.(machine) ??
      new MemoryStore({
        terminal: machine.terminal,
        medium: machine.medium,
        randomId: () => machine.ids.uuid(),
      });
    this.counter = new Counter({
      after: this.after,
      faults: world.faults.at(`counter-${machine.name}`),
      random,
      printer: machine.printer,
      deliver: (happening) => this.deliver(happening),
      presentCard: (card, verified) => this.#presentCard(card, verified),
      listening: (expectation) =>
        machine.customer?.listening(expectation, this.state?.sale?.phase.kind === "awaiting-card"),
      cardAwaited: () => machine.customer?.cardAwaited(),
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  get state(): TerminalState | null {
    return this.#interpreter?.state ?? null;
  }

  /** Runs work of this life: a power cut in it ends the life, and nothing runs after its end. */
  run(work: () => void): void {
    if (!this.#alive) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      const powerLost = this.#random.chance(0.5);
      this.#machine.crash(powerLost ? "power cut" : "killed", powerLost);
    }
  }

  readonly after = (ms: number, work: () => void): Cancel =>
    this.#machine.world.scheduler.after(ms, () => this.run(work));

  end(): void {
    this.#alive = false;
    this.#cutOff();
  }

  start(): void {
    const { world, terminal, settings, clock } = this.#machine;
    this.#power.step();
    let recovered: ReturnType<typeof recover>;
    try {
      recovered = recover(this.store);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      world.note(this.#machine.name, "cannot open its journal", fault.code);
      this.#alive = false;
      return this.#machine.bootLater();
    }
    world.note(this.#machine.name, "starts", recovered.state.sale?.phase.kind ?? "idle");
    world.watched((watch) => watch.started?.(this.#machine, recovered.state));
    this.#power.step();
    const { seams } = world;
    const journal = this.#machine.disk.journal({
      lastCounter: (token) => this.store.lastCounter(token),
      append: (commit) => this.#append(commit),
    });
    const perform = (effect: DeviceEffect): void => this.#perform(effect);
    this.#interpreter = new Interpreter(settings, recovered.state, {
      journal: seams.journal?.(journal, this.#spoiled) ?? journal,
      now: clock.now,
      defer: (work) => this.after(0, work),
      perform: seams.perform?.(perform, this.#spoiled) ?? perform,
      outboxGrew: () => {
        this.#power.step();
        this.#uplink?.notify();
      },
      committed: (state) => this.#committed(state),
      failed: (cause) => this.#failed(cause),
    });
    if (!recovered.appliedSettings(settings)) this.deliver({ kind: "settings.applied", settings });
    this.deliver({ kind: "daemon.started" });
    const line = world.network.brokerFor(terminal);
    this.#cutOff = () => line.cutOff();
    const take = (answer: LedgerAnswer): void => {
      this.#power.step();
      this.deliver({ kind: "ledger.answered", answer });
    };
    const open = (bytes: Uint8Array): DownContent => world.ledger.seal.open(bytes, terminal);
    const broker = {
      connect: line.connect,
      close: line.close,
      send: (bytes: Uint8Array) => {
        this.#power.step();
        world.watched((watch) => watch.onWire?.(terminal, bytes));
        line.send(bytes);
      },
    };
    this.#uplink = new Uplink({
      terminal,
      ledgerKeys: LEDGER_KEYS,
      open: seams.open?.(open) ?? open,
      outbox: seams.outbox?.(this.store, this.#spoiled) ?? this.store,
      broker: this.#guarded(seams.broker?.(broker, this.#spoiled) ?? broker),
      identity: () => this.store.identity(),
      recalling: () => this.state !== null && isRecalling(this.state),
      denyVersion: () => this.store.denyList()?.version ?? 0,
      onAnswer: take,
      onLink: (up) => {
        world.note(this.#machine.name, up ? "link up" : "link down");
        this.deliver({ kind: "link.changed", up });
      },
      onWelcome: () => {
        this.#markWelcomed();
        if (this.state?.standing.kind !== "welcome") this.deliver({ kind: "journal.welcomed" });
      },
      onBarred: (reason) => {
        world.note(this.#machine.name, "barred", reason);
        this.deliver({ kind: "journal.barred", reason });
      },
      onRecalled: ({ lastSequence, sales }) => this.#recalled(lastSequence, sales),
      onDenyList: (list) => {
        this.#power.step();
        this.store.saveDenyList(list);
        // One file: what is synced now takes everything before it along.
        world.register.synced(this.#machine.name);
        this.#power.step();
      },
      onBuried: (requestId, key, reason) => this.deliver({ kind: "request.buried", requestId, key, reason }),
      onAlarm: (text) => world.alarm(this.#machine.name, text),
      after: this.after,
      freshId: () => world.freshId(),
      random: () => this.#random.unit(),
      nowMs: clock.now,
    });
    this.#uplink.start();
  }

  /** A clean end: what was delivered is carried out, the file is closed. */
  stop(): void {
    void this.#uplink?.stop();
    this.#interpreter?.stop();
    // What was still to be written could not be: the machine has crashed on its way down.
    if (!this.#alive) return;
    this.store.close();
    this.end();
  }

  deliver(happening: Happening): void {
    this.#interpreter?.deliver(happening);
  }

  /** Staff asks at this terminal; null when the journal does not know what they mean. */
  ask(lookup: (store: SimStore) => Happening | null): void {
    // What is asked has to be found in the journal as it is when its turn comes.
    if (lookup(this.store) === null) return;
    this.#interpreter?.ask(() => lookup(this.store) ?? { kind: "turn.missed" });
  }

  linkUp(): boolean {
    return this.#uplink?.health().linkUp ?? false;
  }

  unanswered(): number {
    return this.#uplink?.health().unanswered ?? 0;
  }

  #presentCard(card: CardProof, verified: boolean): void {
    const { world } = this.#machine;
    const read = world.seams.card?.(card, this.#spoiled, world.panOf(card.token)) ?? card;
    const tap = `${this.#machine.name} ${card.token} ${card.counter}`;
    // One that was never journalled may come again, and be checked then.
    if (verified) world.unverifiedTaps.delete(tap);
    else world.unverifiedTaps.add(tap);
    world.note(this.#machine.name, "card", `${card.token} ${card.counter}`);
    this.#interpreter?.presentCard(read, {
      verified: world.seams.verified?.(verified) ?? verified,
      denied: () => this.#isDenied(card.token),
    });
  }

  #isDenied(token: string): boolean {
    const list = this.store.denyList();
    return list !== null && isDenied(list, token);
  }

  /** The terminal is told only of sales that its journal does not know. */
  #recalled(lastSequence: number, remembered: readonly RecalledSale[]): void {
    const interpreter = this.#interpreter;
    interpreter?.ask(() => ({
      kind: "journal.recalled",
      lastSequence,
      sales: forgottenSales(remembered, interpreter.state, (saleId) => this.store.soldSale(saleId)),
    }));
  }

  #markWelcomed(): void {
    if (this.store.identity().openings.length === 1) return;
    this.#power.step();
    this.store.markWelcomed();
    this.#machine.world.register.synced(this.#machine.name);
    this.#power.step();
  }

  /** The store itself: what returns from here is on the disk. */
  #append(commit: SimCommit): number {
    const position = this.store.append(commit);
    const { world } = this.#machine;
    for (const event of commit.events) world.note(this.#machine.name, event.kind, detailOf(event));
    world.watched((watch) => watch.committed?.(this.#machine, commit));
    return position;
  }

  #perform(effect: DeviceEffect): void {
    this.#power.step();
    const { world } = this.#machine;
    switch (effect.kind) {
      case "speech.say":
        world.watched((watch) => watch.spoken?.(this.#machine, effect.prompt));
        return this.counter.say(effect);
      case "ear.open":
        return this.counter.openEar(effect.expectation);
      case "ear.close":
        return;
      case "card.arm":
        return this.counter.arm();
      case "card.disarm":
        return this.counter.disarm();
      case "printer.print":
        world.watched((watch) => watch.printed?.(this.#machine, effect.paper));
        return this.counter.print(effect);
      case "timer.start":
        return this.counter.startTimer(effect.name, effect.id, effect.afterMs);
      case "timer.cancel":
        return this.counter.cancelTimer(effect.name);
      case "alarm.raise":
        return world.alarm(this.#machine.name, effect.alarm.kind);
      case "staff.answer":
        return world.watched((watch) => watch.staffTold?.(this.#machine, effect.requestId, effect.answer));
    }
  }

  #committed(state: TerminalState): void {
    const { customer } = this.#machine;
    if (customer !== null && state.recent.at(-1)?.saleId === customer.saleId) customer.leave();
  }

  #failed(cause: unknown): void {
    if (cause instanceof PowerCut) throw cause;
    if (!(cause instanceof Fault)) throw cause;
    this.#machine.crash(cause.code, false);
  }

  #guarded(broker: Broker): Broker {
    return {
      ...broker,
      connect: (events) =>
        broker.connect({
          onConnected: () => this.run(events.onConnected),
          onLost: (reason) => this.run(() => events.onLost(reason)),
          onPresence: (online) => this.run(() => events.onPresence(online)),
          onMessage: (bytes) => this.run(() => events.onMessage(bytes)),
          onDenyList: (bytes) => this.run(() => events.onDenyList(bytes)),
          onRefused: (topic) => this.run(() => events.onRefused(topic)),
        }),
    };
  }
}

function detailOf(event: SaleEvent): string {
  switch (event.kind) {
    case "ledger.answered":
      return `${event.answer.requestId.slice(-22)} ${event.answer.outcome.kind}`;
    case "turn.heard":
      return event.turn.intent.kind;
    case "timer.fired":
      return event.timerId.slice(-16);
    case "staff.asked":
      return event.request.kind;
    default:
      return "";
  }
}
