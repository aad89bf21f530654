/** The ledger as it runs: its own process, a real broker, a real file, SIGKILL between the charge and its answer. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { authorise, honour, inWords, query, refund, reverse, takeBack } from "../support/ledger-desk.ts";
import { LedgerProcess, WireTerminal } from "../support/ledger-process.ts";

/** Whole processes start and die here, on machines that may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function startLedger(settings: object = {}): Promise<LedgerProcess> {
  const ledger = new LedgerProcess(settings);
  ended.push(() => ledger.remove());
  await ledger.start();
  return ledger;
}

async function connectTerminal(ledger: LedgerProcess, id = "counter-1"): Promise<WireTerminal> {
  const terminal = new WireTerminal(id, ledger.publicKey);
  ended.push(() => terminal.close());
  await terminal.connect(ledger.brokerUrl);
  return terminal;
}

async function until(what: string, reached: () => Promise<boolean>, limitMs = 8_000): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await reached())) {
    if (performance.now() > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(25);
  }
}

describe("over the wire", () => {
  test("a sale is answered with a signature, is in the statement once, and leaves no card token in the log", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger);
    await terminal.send("r1", authorise("s/1"));
    await terminal.send("r1", authorise("s/1"));
    const answer = await terminal.answer("r1");
    expect(inWords(answer.outcome)).toBe("approved");
    await terminal.send("r2", query("s/1"));
    expect((await terminal.answer("r2")).outcome).toEqual(answer.outcome);
    expect(await ledger.statement()).toMatchObject({
      balanced: true,
      truncated: false,
      transactions: [
        {
          key: "s/1",
          saleId: "s",
          sequence: 1,
          terminal: "counter-1",
          amountMinor: "15000",
          currency: "KRW",
          state: "approved",
          mode: "online",
          authorisation: "S0000001",
          card: "****-4821",
        },
      ],
      totals: [{ state: "approved", currency: "KRW", count: 1, amountMinor: "15000" }],
    });
    expect(await ledger.charged()).toBe(1);
    expect(terminal.presence).toEqual(["online"]);
    expect(ledger.output).not.toContain("ntag424:");
  });

  test("a transaction, the alarms and the health have pages of their own", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger);
    await terminal.send("r1", authorise("s/1", 15_000));
    await terminal.send("r2", authorise("s/1", 16_000));
    expect(inWords((await terminal.answer("r2")).outcome)).toBe("refused key-conflict");
    expect(await ledger.get("/v1/transactions/s/1")).toMatchObject({
      transactions: [{ key: "s/1", state: "approved" }],
    });
    expect(await ledger.get("/v1/transactions/nothing")).toMatchObject({
      error: expect.stringContaining("nothing"),
    });
    expect(await ledger.get("/v1/alarms")).toMatchObject({
      alarms: [{ kind: "key-conflict", subject: "counter-1 s/1", count: 1 }],
    });
    expect(await ledger.get("/health")).toMatchObject({ ok: true, broker: true });
    expect(await ledger.get("/v1/statement?terminal=counter-9")).toMatchObject({
      transactions: [],
      balanced: true,
    });
  });

  test("two terminals that give back the same sale at once never give back more than it was", async () => {
    const ledger = await startLedger();
    const [one, two] = [await connectTerminal(ledger), await connectTerminal(ledger, "counter-2")];
    await one.send("r1", authorise("s/1"));
    await one.answer("r1");
    await Promise.all([
      one.send("s/refund-a", refund("s/refund-a", 9_000)),
      two.send("s/refund-b", refund("s/refund-b", 9_000)),
    ]);
    const answers = [await one.answer("s/refund-a"), await two.answer("s/refund-b")];
    expect(answers.map(({ outcome }) => inWords(outcome)).sort()).toEqual([
      "refund-refused exceeds",
      "refunded",
    ]);
    await one.send("r2", takeBack("s/1"));
    expect(inWords((await one.answer("r2")).outcome)).toBe("refund-refused partly-refunded");
    await one.send("r3", honour("s/1"));
    expect(inWords((await one.answer("r3")).outcome)).toBe("approved");
    expect(await ledger.get("/v1/transactions/s/1")).toMatchObject({
      transactions: [{ state: "approved", mode: "offline", refundedMinor: "9000", refunds: [{}, {}] }],
    });
    expect(await ledger.get("/v1/statement")).toMatchObject({
      balanced: true,
      refundTotals: [
        { state: "refunded", currency: "KRW", count: 1, amountMinor: "9000" },
        { state: "refused", currency: "KRW", count: 1, amountMinor: "9000" },
      ],
    });
    expect(await ledger.get("/sandbox/refunds")).toMatchObject({ refunded: 1 });
  });

  test("one terminal is answered in the order of its requests, though the gateway is slow with the first", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger);
    await ledger.plan({ behaviour: "approve", latencyMs: 400 });
    await terminal.send("r1", authorise("a/1"));
    await terminal.send("r2", reverse("b/1"));
    await terminal.send("r3", query("b/1"));
    await terminal.answer("r3");
    expect(terminal.answers.map(({ requestId, outcome }) => `${requestId} ${outcome.kind}`)).toEqual([
      "r1 approved",
      "r2 reversed",
      "r3 reversed",
    ]);
  });

  test("what cannot be read is kept as a dead letter, and the next sale goes on", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger);
    await terminal.sendRaw("saypay/v1/counter-1/up", Buffer.from("not cbor at all"));
    await terminal.sendRaw("saypay/v1/counter-1/up", new Uint8Array());
    await terminal.send("r1", authorise("s/1"));
    expect(inWords((await terminal.answer("r1")).outcome)).toBe("approved");
    expect(await ledger.get("/v1/alarms")).toMatchObject({
      alarms: [{ kind: "dead-letter", subject: "saypay/v1/counter-1/up", count: 2 }],
    });
  });

  test("a terminal that is not listed is refused", async () => {
    const ledger = await startLedger({ terminals: { known: [{ id: "counter-1" }] } });
    const [known, stranger] = [await connectTerminal(ledger), await connectTerminal(ledger, "stranger")];
    await known.send("r1", authorise("s/1"));
    await stranger.send("r1", authorise("t/1"));
    expect(inWords((await known.answer("r1")).outcome)).toBe("approved");
    expect(inWords((await stranger.answer("r1")).outcome)).toBe("refused unknown-terminal");
    expect(await ledger.charged()).toBe(1);
  });

  test("a terminal can write nothing but its own requests on the embedded broker", async () => {
    const ledger = await startLedger();
    const honest = await connectTerminal(ledger, "counter-2");
    for (const topic of ["saypay/v1/counter-2/up", "saypay/v1/ledger/presence", "saypay/v1/counter-1/down"]) {
      const liar = await connectTerminal(ledger);
      await Promise.race([liar.sendRaw(topic, Buffer.from("offline")), delay(300)]).catch(() => undefined);
      await liar.close();
    }
    await honest.send("r1", authorise("s/1"));
    expect(inWords((await honest.answer("r1")).outcome)).toBe("approved");
    expect(honest.presence).toEqual(["online"]);
    expect(await ledger.get("/v1/alarms")).toEqual({ alarms: [] });
  });
});

describe("killed", () => {
  test.each([
    ["before the charge reaches the bank", { transitMs: 1_500 }, 0],
    ["between the charge and its answer", { latencyMs: 2_500 }, 1],
  ])("%s, it asks after the restart, and the card is charged once", async (_when, plan, chargedAtDeath) => {
    const ledger = await startLedger();
    const before = await connectTerminal(ledger);
    await ledger.plan(plan);
    await before.send("r1", authorise("s/1"));
    await until("the charge is under way", async () => (await ledger.statement()).transactions.length === 1);
    if (chargedAtDeath > 0) await until("the bank has charged", async () => (await ledger.charged()) === 1);
    expect(await ledger.charged()).toBe(chargedAtDeath);
    expect((await ledger.statement()).transactions).toMatchObject([{ state: "attempting", attempts: 1 }]);
    await ledger.end("SIGKILL");

    await ledger.start();
    await until("resolved", async () => (await ledger.statement()).transactions[0]?.state === "approved");
    const after = await connectTerminal(ledger);
    await after.send("r1", authorise("s/1"));
    expect(inWords((await after.answer("r1")).outcome)).toBe("approved");
    expect(before.answers).toEqual([]);
    expect(await ledger.charged()).toBe(1);
    expect((await ledger.get<{ charges: unknown[] }>("/sandbox/charges")).charges).toHaveLength(1);
    expect(await ledger.statement()).toMatchObject({
      balanced: true,
      transactions: [{ key: "s/1", state: "approved" }],
    });
  });

  test.each([
    ["before the refund reaches the bank", { transitMs: 1_500 }, 0],
    ["between the refund and its answer", { latencyMs: 2_500 }, 1],
  ])("%s, it asks again after the restart, and the money is given back once", async (_when, plan, given) => {
    const ledger = await startLedger();
    const refunded = async (): Promise<number> =>
      (await ledger.get<{ refunded: number }>("/sandbox/refunds")).refunded;
    const before = await connectTerminal(ledger);
    await before.send("r1", authorise("s/1"));
    await before.answer("r1");
    await ledger.plan({ operation: "refund", ...plan });
    await before.send("r2", refund("s/refund-a", 4_000));
    const refunds = async (): Promise<string[]> =>
      (
        await ledger.get<{ transactions: { refunds: { state: string }[] }[] }>("/v1/statement")
      ).transactions.flatMap(({ refunds: all }) => all.map(({ state }) => state));
    await until("the refund is under way", async () => (await refunds()).length === 1);
    if (given > 0) await until("the bank has given back", async () => (await refunded()) === 1);
    expect(await refunded()).toBe(given);
    expect(await refunds()).toEqual(["attempting"]);
    await ledger.end("SIGKILL");

    await ledger.start();
    await until("resolved", async () => (await refunds())[0] === "refunded");
    const after = await connectTerminal(ledger);
    await after.send("r3", refund("s/refund-a", 4_000));
    expect(inWords((await after.answer("r3")).outcome)).toBe("refunded");
    expect(await refunded()).toBe(1);
    expect(await ledger.get("/sandbox/charges")).toMatchObject({ charges: [{ refundedMinor: "4000" }] });
    expect(await ledger.statement()).toMatchObject({ balanced: true });
  });

  test("again and again while a terminal sells, every sale ends up charged once", async () => {
    const ledger = await startLedger({
      gateway: { id: "sandbox", timeoutMs: 3_000, settings: { transitMs: 15, latencyMs: 15 } },
    });
    const sales = Array.from({ length: 12 }, (_, index) => `sale-${index}/1`);
    const open = new Set(sales);
    for (let life = 0; life < 20 && open.size > 0; life += 1) {
      const terminal = await connectTerminal(ledger);
      for (const key of open) await terminal.send(key, authorise(key));
      await delay(40 + ((life * 37) % 90));
      if (life < 6) await ledger.end("SIGKILL");
      else await Promise.all([...open].map((key) => terminal.answer(key)));
      for (const { requestId, outcome } of terminal.answers)
        if (outcome.kind === "approved") open.delete(requestId);
      await terminal.close();
      if (life < 6) await ledger.start();
    }
    const statement = await ledger.statement();
    expect(statement.transactions.map(({ key, state }) => `${key} ${state}`).sort()).toEqual(
      sales.map((key) => `${key} approved`).sort(),
    );
    expect(statement.balanced).toBe(true);
    expect(await ledger.charged()).toBe(12);
  });

  test("by SIGTERM, it answers what is under way, says that it leaves, and exits with 0", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger);
    await ledger.plan({ latencyMs: 400 });
    await terminal.send("r1", authorise("s/1"));
    await until("the charge is under way", async () => (await ledger.statement()).transactions.length === 1);
    await ledger.end("SIGTERM");
    expect(ledger.exitCode).toBe(0);
    expect(inWords((await terminal.answer("r1")).outcome)).toBe("approved");
    expect(terminal.presence).toEqual(["online", "offline"]);
  });
});

describe("starting", () => {
  const main = fileURLToPath(new URL("../../dist/sync/ledger/main.js", import.meta.url));

  test("the signing key is made once, for the owner alone", async () => {
    const ledger = await startLedger();
    const key = join(ledger.folder, "data", "ledger-key.pem");
    const first = readFileSync(key, "utf8");
    expect((statSync(key).mode & 0o777).toString(8)).toBe("600");
    await ledger.end("SIGTERM");
    await ledger.start();
    expect(readFileSync(key, "utf8")).toBe(first);
  });

  test("a second ledger on the same folder is refused with the reason", async () => {
    const ledger = await startLedger();
    const second = spawnSync(process.execPath, [main, "--config", ledger.settingsFile], {
      encoding: "utf8",
      timeout: 10_000,
    });
    expect(second.status).toBe(75);
    expect(second.stderr).toMatch(/is held by another ledger; stop it/);
  });

  test.each([
    [
      "a port that is taken",
      (port: number) => ({ http: { port } }),
      /http.port: 127.0.0.1 port \d+ is in use/,
    ],
    [
      "a broker port that is taken",
      (port: number) => ({ broker: { embedded: { port } } }),
      /broker.embedded.port: .* in use/,
    ],
    [
      "a certificate that is not there",
      () => ({ broker: { outside: { url: "mqtts://localhost:1", tls: { ca: "no.pem" } } } }),
      /broker.outside.tls.ca: ENOENT/,
    ],
    [
      "a folder that cannot be made",
      () => ({ data: "ledger.yaml/books" }),
      /choose another folder in the setting "data"/,
    ],
  ])("%s is named, with a way out", async (_what, change, reason) => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const ledger = new LedgerProcess(change((holder.address() as AddressInfo).port));
    ended.push(() => ledger.remove());
    await expect(ledger.start()).rejects.toThrow(reason);
    expect(ledger.output).not.toMatch(/ at .*\.js:/);
    holder.close();
  });

  test("the books of a stopped ledger can be verified", async () => {
    const ledger = await startLedger();
    const terminal = await connectTerminal(ledger);
    await terminal.send("r1", authorise("s/1"));
    await terminal.answer("r1");
    await ledger.end("SIGTERM");
    const run = spawnSync(process.execPath, [main, "--config", ledger.settingsFile, "--verify"], {
      encoding: "utf8",
    });
    expect(JSON.parse(run.stdout)).toMatchObject({
      whole: true,
      balanced: true,
      audit: { rows: 2, firstBroken: null },
    });
    expect(run.status).toBe(0);
  });

  test("every mistake in the settings is listed with its line", () => {
    const ledger = new LedgerProcess();
    ended.push(() => ledger.remove());
    writeFileSync(
      ledger.settingsFile,
      "merchant: m\nterminals:\n  known: []\nhttp:\n  host: 0.0.0.0\nbroker:\n  embeded: {}\n  embedded:\n    port: 99999\n",
    );
    const run = spawnSync(process.execPath, [main, "--config", ledger.settingsFile], { encoding: "utf8" });
    // The unit leaves it stopped then: starting again does not help.
    expect(run.status).toBe(78);
    const listed = run.stderr.split("\n").filter((line) => line.includes("ledger.yaml:"));
    expect(listed.map((line) => line.replace(/^.*ledger\.yaml:/, ""))).toEqual([
      "3:10 terminals.known: list the terminals, or set acceptAny: true for a trial",
      "5:3 http.token: books that others can reach need a token; or use host 127.0.0.1",
      '7:3 broker.embeded: unknown setting; did you mean "embedded"?',
      "9:11 broker.embedded.port: Too big: expected number to be <=65535",
    ]);
  });

  test.each([["--help"], ["--check"]])("%s", (flag) => {
    const example = fileURLToPath(new URL("../../sync/ledger/ledger.example.yaml", import.meta.url));
    const text = execFileSync(process.execPath, [main, "--config", example, flag], { encoding: "utf8" });
    expect(text).toMatch(flag === "--help" ? /--config <file>/ : /no mistakes/);
  });
});
