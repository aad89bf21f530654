/**
 * Sales at one counter while a seed kills its processes: a customer who orders, taps and comes again, and chaos, which
 * pulls plugs and cuts lines beside. Afterwards everything heals, and crash-verdict.ts judges what the files say.
 *
 * A kill is SIGKILL to one victim: the daemon, the whole terminal (every process of it at once), the ledger (with its
 * embedded broker, where it has one), Mosquitto, the card reader's or the printer's process. Moments: some time after
 * everything runs again, a fraction of a second after a tap (with the link up or however it is), or in the middle of the start after the last kill. The
 * seed decides victims, moments and weather; how the processes run meanwhile is the machine's.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type CrashSite, until, type Victim } from "../support/crash-site.ts";
import type { SeededRandom } from "../support/seeded-random.ts";

const POLL_MS = 15;
const TOUCH_AGAIN_MS = 1_000;
const TAP_AGAIN_MS = 1_500;
/** A customer who finds no link up may look for the card until it is. */
const SEARCH_MS = 4_000;
const SEARCH_CHANCE = 0.7;
/** A sale that has not moved for so long is a finding. */
const STUCK_MS = 150_000;
/** For the chaos: how long it waits for the moment that it wants. */
const MOMENT_LIMIT_MS = 6_000;
/** From the mended line until nothing waits any more. */
const HEAL_LIMIT_MS = 180_000;

const MOMENTS = { running: 25, tap: 30, "tap-online": 30, starting: 15 } as const;
const VICTIMS: { readonly [name in Victim]: number } = {
  daemon: 28,
  terminal: 14,
  ledger: 26,
  mosquitto: 14,
  "card-reader": 6,
  printer: 12,
};
/** Beside a kill: what becomes of the lines. */
const WEATHER = { nothing: 58, "cut-terminal": 12, "cut-ledger": 6, mend: 24 } as const;
/** Gateway troubles that end well: pending that is approved, a call that is lost, an answer that nobody waits for. */
const TROUBLES = { pending: 2, "time-out": 2, "late-answer": 2, slow: 4 } as const;
const TROUBLE_CHANCE = 0.12;
const ITEMS = ["americano", "latte", "vanilla-latte"] as const;
const CARDS = 5;

export type Kills = { -readonly [name in Victim]: number };

export class CrashRun {
  readonly site: CrashSite;
  readonly kills: Kills = { daemon: 0, terminal: 0, ledger: 0, mosquitto: 0, "card-reader": 0, printer: 0 };
  cuts = 0;
  readonly #random: SeededRandom;
  #open = true;
  #tapped = 0;
  #lineCut = false;

  constructor(site: CrashSite, random: SeededRandom) {
    this.site = site;
    this.#random = random;
  }

  get killed(): number {
    return Object.values(this.kills).reduce((sum, count) => sum + count, 0);
  }

  /** Sells and kills until `mayKill` gives no more kills, then heals. Rejects when a sale or the healing gets stuck. */
  async run(mayKill: () => boolean): Promise<void> {
    const customer = this.#customer();
    // A customer that is stuck ends the run: nobody waits for the rest of the kills.
    await Promise.race([this.#chaos(mayKill), customer]);
    this.#open = false;
    await customer;
    await this.#heal();
  }

  async #chaos(mayKill: () => boolean): Promise<void> {
    while (this.#open && mayKill()) {
      await this.#moment(this.#random.pick(MOMENTS));
      await this.#weather();
      await this.#killSomething();
    }
  }

  async #moment(kind: keyof typeof MOMENTS): Promise<void> {
    const { site } = this;
    if (kind === "starting") return pause(this.#random.whole(0, 900));
    await within(MOMENT_LIMIT_MS, () => site.daemon.isUp && site.ledger.isUp);
    if (kind === "running") return pause(this.#random.whole(0, 1_500));
    if (kind === "tap-online")
      await within(MOMENT_LIMIT_MS, async () => (await site.health())?.linkUp === true);
    const before = this.#tapped;
    await within(MOMENT_LIMIT_MS, () => this.#tapped > before);
    // The card is read about 300 ms after it was laid down; then it is journalled, sent, charged, answered and printed.
    return pause(this.#random.whole(100, 650));
  }

  async #weather(): Promise<void> {
    const { site } = this;
    if (this.#random.chance(TROUBLE_CHANCE)) await site.plan(this.#trouble());
    const weather = this.#random.pick(WEATHER);
    if (weather === "nothing") return;
    if (weather === "mend") site.mend();
    else if (weather === "cut-terminal") site.cutTerminal();
    else site.cutLedger();
    if (weather !== "mend" && !this.#lineCut) this.cuts++;
    this.#lineCut = weather !== "mend";
  }

  #trouble(): object {
    const behaviour = this.#random.pick(TROUBLES);
    if (behaviour === "slow")
      return { transitMs: this.#random.whole(0, 400), latencyMs: this.#random.whole(0, 900) };
    return { behaviour };
  }

  /** A victim that does not run now is passed over for the next one. */
  async #killSomething(): Promise<void> {
    const againAfterMs = this.#random.chance(0.7) ? 0 : this.#random.whole(50, 1_500);
    const victim = this.#random.pick(VICTIMS);
    if (await this.site.kill(victim, againAfterMs)) this.kills[victim]++;
    else await pause(POLL_MS);
  }

  async #customer(): Promise<void> {
    const random = this.#random;
    let seen = "";
    let sinceMs = performance.now();
    let touchedMs = 0;
    let tappedMs = 0;
    let searchMs = 0;
    for (;;) {
      const view = await this.site.state();
      const now = performance.now();
      const what = `${view?.saleId ?? ""} ${view?.phase ?? "away"}`;
      if (what !== seen) {
        seen = what;
        sinceMs = now;
        touchedMs = 0;
        tappedMs = 0;
        searchMs = random.chance(SEARCH_CHANCE) ? SEARCH_MS : 0;
      }
      if (now - sinceMs > STUCK_MS) throw new Error(`nothing has moved for ${STUCK_MS} ms: ${what}`);
      const touches = view !== null && now - touchedMs > TOUCH_AGAIN_MS;
      switch (view?.phase) {
        case "idle":
          if (!this.#open) return;
          if (touches) await this.site.wake();
          break;
        case "listening":
          if (touches) await this.site.touch(orderOf(random));
          break;
        case "basket":
        case "read-back":
          if (touches) await this.site.touch({ kind: "confirm" });
          break;
        case "awaiting-card":
          if (now - tappedMs <= TAP_AGAIN_MS) break;
          // Many look for their card for a while: otherwise most sales would be offline ones.
          if (!view.linkUp && now - sinceMs < searchMs) break;
          tappedMs = now;
          await this.site.tap(`genuine-${random.whole(1, CARDS)}`);
          this.#tapped++;
          break;
        default:
          break;
      }
      if (touches) touchedMs = now;
      await pause(POLL_MS);
    }
  }

  /** Nothing is killed any more: within a bound every sale must have come to its end everywhere. */
  async #heal(): Promise<void> {
    const { site } = this;
    site.mend();
    await site.whenBrokerIsBack();
    let last = "away";
    await until(
      async () => {
        const health = await site.health();
        if (health !== null) last = JSON.stringify(health);
        if (health === null) return false;
        return health.linkUp && health.outboxDepth === 0 && health.openCharges === 0;
      },
      HEAL_LIMIT_MS,
      "the outbox is empty and no charge is open",
    ).catch((cause: unknown) => {
      throw new Error(`${cause instanceof Error ? cause.message : String(cause)}; the terminal: ${last}`);
    });
  }
}

function orderOf(random: SeededRandom): object {
  const itemId = ITEMS[random.whole(0, ITEMS.length - 1)] ?? "americano";
  const options = { temperature: random.chance(0.5) ? "iced" : "hot" };
  return { kind: "edit", edits: [{ kind: "add", itemId, quantity: random.whole(1, 3), options }] };
}

/** Resolves when it is so, or when the time is over. */
async function within(limitMs: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await isSo()) && performance.now() < limit) await pause(POLL_MS);
}
