/**
 * One box on a counter: a disk, a clock, a printer, a line to the broker, and now and then a running daemon (`Life`). When
 * the daemon dies, nothing of its life goes on but what is on the disk.
 */
import type { SaleEvent } from "../../daemon/core/event.ts";
import type { TerminalState } from "../../daemon/core/sale.ts";
import type { SaleSettings } from "../../daemon/core/settings.ts";
import type { Happening } from "../../daemon/shell/interpreter.ts";
import type { MemoryMedium } from "../../sync/store/memory-store.ts";
import type { Commit, Store } from "../../sync/store/store.ts";
import { SimClock } from "./clock.ts";
import type { Customer, Till } from "./customer.ts";
import { Disk } from "./disk.ts";
import { Life } from "./life.ts";
import { Power } from "./power.ts";
import { SimPrinter } from "./printer.ts";
import { Random } from "./random.ts";
import type { World } from "./world.ts";

export type SimStore = Store<SaleEvent, TerminalState>;
export type SimCommit = Commit<SaleEvent, TerminalState>;

/** How often a boot that finds the journal out of reach is tried again. */
const BOOT_RETRY_MS = 5_000;

export class Machine {
  /** "t1"; a copy of its journal runs in "t1-copy". */
  readonly name: string;
  /** Who it says it is on the wire. */
  readonly terminal: string;
  readonly world: World;
  readonly clock: SimClock;
  readonly disk: Disk;
  readonly printer: SimPrinter;
  medium: MemoryMedium;
  /** Ids of its journals and of their openings. */
  readonly ids: Random;
  settings: SaleSettings;
  customer: Customer | null = null;
  /** It runs with a copy of another machine's journal. */
  isCopy = false;
  /** Its journal is not the one that it always had: what it tells of past days is not all that happened in them. */
  hasOtherPast = false;
  /** Somebody has switched it off for good. */
  retired = false;
  readonly #random: Random;
  readonly power: Power;
  #life: Life | null = null;

  constructor(world: World, name: string, terminal: string, medium: MemoryMedium, settings: SaleSettings) {
    this.world = world;
    this.name = name;
    this.terminal = terminal;
    this.medium = medium;
    this.settings = settings;
    const faults = world.faults.at(name);
    this.#random = new Random(world.plan.seed, `machine ${name}`);
    this.ids = new Random(world.plan.seed, `journals of ${name}`);
    this.clock = new SimClock(world.scheduler, faults);
    this.power = new Power(faults, "daemon-crash");
    this.disk = new Disk(faults, this.power);
    this.printer = new SimPrinter({
      scheduler: world.scheduler,
      faults,
      random: new Random(world.plan.seed, `printer ${name}`),
      emerged: (paper, whole) => world.watched((watch) => watch.emerged?.(this, paper, whole)),
    });
  }

  get life(): Life | null {
    return this.#life;
  }

  get state(): TerminalState | null {
    return this.#life?.state ?? null;
  }

  get store(): SimStore | null {
    return this.#life?.store ?? null;
  }

  /** Starts the daemon; keeps trying. */
  boot(): void {
    if (this.retired || this.#life !== null) return;
    const life = new Life(this, this.power, this.#random);
    this.#life = life;
    life.run(() => life.start());
  }

  /** The daemon dies, and perhaps the power of the whole machine with it; it is started again after a while. */
  crash(reason: string, powerLost: boolean, awayMs = this.#random.spread(1_000, 90_000)): void {
    const life = this.#life;
    if (life === null) return;
    this.world.note(this.name, "dies", reason);
    this.#life = null;
    life.end();
    // A file is let go of as a process that dies lets go of it.
    if (this.world.makeStore !== null) life.store.close();
    else if (powerLost) {
      this.medium.losePower();
      this.world.register.powerLost(this.name);
    }
    this.medium.holder = null;
    this.world.scheduler.after(awayMs, () => this.boot());
  }

  /** A clean stop and a start, as an upgrade makes it. */
  restart(): void {
    const life = this.#life;
    if (life === null) return;
    this.world.note(this.name, "stops for an upgrade", `${life.store.depth()} rows wait`);
    life.run(() => life.stop());
    if (this.#life !== life) return;
    this.#life = null;
    this.medium.unsynced.length = 0;
    this.world.register.synced(this.name);
    this.world.seams.upgraded?.(this.medium);
    this.world.scheduler.after(this.#random.whole(1_000, 10_000), () => this.boot());
  }

  retire(): void {
    this.retired = true;
    this.switchOff();
  }

  /** A clean stop. */
  switchOff(): void {
    const life = this.#life;
    life?.run(() => life.stop());
    this.#life = null;
    this.medium.unsynced.length = 0;
    this.medium.holder = null;
    this.world.register.synced(this.name);
  }

  /** Starts again with another disk. */
  replace(medium: MemoryMedium): void {
    this.switchOff();
    this.medium = medium;
    this.hasOtherPast = true;
    this.world.scheduler.after(this.#random.whole(1_000, 10_000), () => this.boot());
  }

  bootLater(): void {
    this.#life = null;
    this.world.scheduler.after(BOOT_RETRY_MS, () => this.boot());
  }

  /** Something happens at the counter; a dead terminal takes no notice. */
  deliver(happening: Happening): void {
    const life = this.#life;
    life?.run(() => life.deliver(happening));
  }

  /** Staff asks; see Life.ask. */
  ask(lookup: (store: SimStore) => Happening | null): void {
    const life = this.#life;
    life?.run(() => life.ask(lookup));
  }

  /** What a customer can do. */
  get till(): Till {
    return {
      deliver: (happening) => this.deliver(happening),
      tap: (card, verified) => {
        const life = this.#life;
        life?.run(() => life.counter.tapped(card, verified));
      },
      tapFails: (reason) => {
        const life = this.#life;
        life?.run(() => life.counter.tapFailed(reason));
      },
    };
  }
}
