/** The ledger on an outside broker: a real Mosquitto with mutual TLS and an access list for every name. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isDenied, NO_CARDS } from "../../sync/wire.ts";
import { JournalTerminal } from "../support/journal-terminal.ts";
import { authorise, inWords } from "../support/ledger-desk.ts";
import { LedgerProcess, WireTerminal } from "../support/ledger-process.ts";
import { Mosquitto } from "../support/mosquitto.ts";

/** Whole processes start and die here, on machines that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

let broker: Mosquitto;
beforeAll(async () => {
  broker = await Mosquitto.start();
});
afterAll(async () => {
  await broker.stop();
});

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function startLedger(protocol: 4 | 5 = 5): Promise<LedgerProcess> {
  const ledger = new LedgerProcess({
    broker: { outside: { url: broker.url, protocol, tls: broker.identity("ledger") } },
  });
  ended.push(() => ledger.remove());
  await ledger.start();
  return ledger;
}

async function connectTerminal(ledger: LedgerProcess, id: string, url = broker.url): Promise<WireTerminal> {
  const terminal = new WireTerminal(id, ledger.publicKey);
  ended.push(() => terminal.close());
  const { ca, cert, key } = broker.identity(id);
  await terminal.connect(url, {
    ca: readFileSync(ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
  });
  return terminal;
}

async function said(terminal: WireTerminal, presence: string): Promise<void> {
  const limit = performance.now() + 10_000;
  while (terminal.presence.at(-1) !== presence) {
    if (performance.now() > limit) throw new Error(`presence is ${terminal.presence.join(", ")}`);
    await delay(20);
  }
}

describe("on the embedded broker with mutual TLS", () => {
  async function startSecured(): Promise<LedgerProcess> {
    const { ca, cert, key } = broker.identity("localhost");
    const ledger = new LedgerProcess({ broker: { embedded: { port: 0, tls: { ca, cert, key } } } });
    ended.push(() => ledger.remove());
    await ledger.start();
    return ledger;
  }

  test("a terminal is the one that its certificate names", async () => {
    const ledger = await startSecured();
    const url = `mqtts://localhost:${ledger.ports.mqtt ?? 0}`;
    const terminal = await connectTerminal(ledger, "counter-1", url);
    await terminal.send("r1", authorise("s/1"));
    expect(inWords((await terminal.answer("r1")).outcome)).toBe("approved");
    const other = await connectTerminal(ledger, "counter-2", url);
    await Promise.race([other.sendRaw("saypay/v1/counter-1/up", Buffer.from("forged")), delay(500)]).catch(
      () => undefined,
    );
    await terminal.send("r2", authorise("s/1"));
    expect(inWords((await terminal.answer("r2")).outcome)).toBe("approved");
    expect(await ledger.get("/v1/alarms")).toEqual({ alarms: [] });
  });

  test("without a certificate nobody gets in", async () => {
    const ledger = await startSecured();
    const stranger = new WireTerminal("counter-1", ledger.publicKey);
    const ca = readFileSync(broker.identity("localhost").ca);
    await expect(stranger.connect(`mqtts://localhost:${ledger.ports.mqtt ?? 0}`, { ca })).rejects.toThrow();
    await stranger.close();
  });
});

describe("on Mosquitto with mutual TLS", () => {
  test.each([4, 5] as const)("a sale is answered, MQTT protocol level %i", async (protocol) => {
    const ledger = await startLedger(protocol);
    const terminal = await connectTerminal(ledger, "counter-1");
    await said(terminal, "online");
    await terminal.send("r1", authorise("s/1"));
    expect(inWords((await terminal.answer("r1")).outcome)).toBe("approved");
    expect(await ledger.charged()).toBe(1);
    expect(ledger.ports.mqtt).toBeNull();
  });

  test("two terminals are kept apart by the broker", async () => {
    const ledger = await startLedger();
    const [one, two] = [
      await connectTerminal(ledger, "counter-1"),
      await connectTerminal(ledger, "counter-2"),
    ];
    await one.sendRaw("saypay/v1/counter-2/up", Buffer.from("forged"));
    await one.sendRaw("saypay/v1/ledger/presence", Buffer.from("offline"));
    await one.send("r1", authorise("s/1"));
    await two.send("r1", authorise("s/1"));
    expect(inWords((await one.answer("r1")).outcome)).toBe("approved");
    expect(inWords((await two.answer("r1")).outcome)).toBe("declined card-replayed");
    expect(one.presence).toEqual(["online"]);
    expect(
      (await ledger.get<{ alarms: { kind: string }[] }>("/v1/alarms")).alarms.map(({ kind }) => kind),
    ).toEqual(["card-replayed"]);
  });

  test("a ledger that is killed is reported offline, and what came meanwhile is answered after its return", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger, "counter-1");
    await said(terminal, "online");
    await ledger.end("SIGKILL");
    await said(terminal, "offline");
    await terminal.send("r1", authorise("s/1"));
    await ledger.start();
    await said(terminal, "online");
    expect(inWords((await terminal.answer("r1")).outcome)).toBe("approved");
    expect(await ledger.charged()).toBe(1);
  });

  test("a broker that is killed is found again, and the sale is asked for once more", async () => {
    const ledger = await startLedger();
    const before = await connectTerminal(ledger, "counter-1");
    await said(before, "online");
    await ledger.plan({ latencyMs: 600 });
    await before.send("r1", authorise("s/1"));
    await delay(200);
    await broker.kill();
    expect((await ledger.get<{ ok: boolean }>("/health")).ok).toBe(false);
    await delay(800);
    await broker.resume();
    const after = await connectTerminal(ledger, "counter-1");
    await said(after, "online");
    await after.send("r1", authorise("s/1"));
    expect(inWords((await after.answer("r1")).outcome)).toBe("approved");
    expect(await ledger.charged()).toBe(1);
    expect(await ledger.statement()).toMatchObject({ balanced: true, transactions: [{ state: "approved" }] });
  });

  test("journals are judged and the deny list is delivered, also while the ledger is away", async () => {
    const ledger = await startLedger();
    const folder = mkdtempSync(join(tmpdir(), "saypay-mosquitto-journal-"));
    ended.push(async () => rmSync(folder, { recursive: true, force: true }));
    const machine = (name: string, terminal: string): JournalTerminal => {
      const made = new JournalTerminal({
        folder: join(folder, name),
        terminal,
        url: broker.url,
        tls: broker.identity(terminal),
        ledgerKey: ledger.publicKey,
      });
      ended.push(() => made.stop());
      return made;
    };
    const denies = ({ store }: JournalTerminal, token: string): boolean =>
      isDenied(store.denyList() ?? NO_CARDS, token);

    const one = machine("one", "counter-1");
    expect(await one.verdict()).toBe("welcome");
    const card = { token: "ntag424:stolen", masked: "****-1", counter: 1 };
    one.sell("a/1", { card });
    expect(await one.outcome("a/1")).toBe("approved");
    await ledger.post("/v1/denied-cards", { terminal: "counter-1", key: "a/1", reason: "stolen", by: "kim" });
    await one.until("the card is denied", () => denies(one, "ntag424:stolen"));
    one.sell("b/1", { card: { ...card, counter: 2 } });
    expect(await one.outcome("b/1")).toBe("declined card-blocked");

    await ledger.end("SIGKILL");
    // The list is retained for each terminal that the ledger knows: the broker hands it out by itself.
    const stranger = machine("another card", "counter-1");
    await stranger.until("the card is denied", () => denies(stranger, "ntag424:stolen"));
    expect(stranger.verdicts).toEqual([]);
    await ledger.start();
    expect(await stranger.verdict()).toBe("replaced");
    const { alarms } = await ledger.get<{ alarms: { kind: string }[] }>("/v1/alarms");
    expect(alarms.map(({ kind }) => kind).sort()).toEqual(["card-denied", "journal-replaced"]);
    expect(broker.log).not.toMatch(/Denied PUBLISH.*counter-1\/deny/);
  });
});
