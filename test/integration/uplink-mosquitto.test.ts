/**
 * The uplink with its MQTT adapter against a real Mosquitto with mutual TLS and access lists (MQTT 5). The other end is
 * test/support/answering-ledger.ts.
 */
import { generateKeyPairSync } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MemoryMedium } from "../../sync/store/memory-store.ts";
import { buildDenyList, denyHash, encodeDown, isDenied, RECALL_PAGE } from "../../sync/wire.ts";
import { AnsweringLedger } from "../support/answering-ledger.ts";
import {
  AskingTerminal,
  down,
  EVENT,
  IDENTITY,
  LEDGER_KEYS,
  LIMIT_MS,
  up,
} from "../support/asking-terminal.ts";
import { APPROVED, AUTHORISE, QUERY, REVERSE, won } from "../support/messages.ts";
import { type Identity, Mosquitto } from "../support/mosquitto.ts";
import { until } from "../support/processes.ts";

const forger = generateKeyPairSync("ed25519");
const open: { stop(): Promise<void> }[] = [];

function started(terminal: AskingTerminal): AskingTerminal {
  open.push({
    stop: async () => {
      await terminal.uplink.stop();
      terminal.store.close();
    },
  });
  terminal.uplink.start();
  return terminal;
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop();
});

describe("Mosquitto with mutual TLS", () => {
  let broker: Mosquitto;
  let ledger: AnsweringLedger;

  beforeAll(async () => {
    broker = await Mosquitto.start();
  });

  afterAll(async () => {
    await broker.stop();
  });

  async function withLedger(): Promise<void> {
    ledger = new AnsweringLedger({
      url: broker.url,
      identity: broker.identity("ledger"),
      key: LEDGER_KEYS.privateKey,
    });
    await ledger.start();
    open.push({ stop: () => ledger.vanish() });
  }

  function terminal(
    name = "t1",
    tls: Identity = broker.identity(name),
    medium = new MemoryMedium(),
  ): AskingTerminal {
    return started(new AskingTerminal(broker.url, { terminal: name, tls, medium }));
  }

  test("a row goes out at once, its signed answer ends it", async () => {
    await withLedger();
    ledger.outcome = APPROVED.outcome;
    const t1 = terminal();
    await t1.until("link", up);
    t1.store.append({ ...EVENT, outbox: [{ id: "r1", request: AUTHORISE }] });
    t1.uplink.notify();
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect(t1.answers).toEqual([{ requestId: "r1", key: AUTHORISE.key, outcome: APPROVED.outcome }]);
    expect(ledger.seen).toEqual([
      { version: 1, terminal: "t1", kind: "request", requestId: "r1", position: 1, request: AUTHORISE },
    ]);
    expect([t1.store.depth(), t1.uplink.health().unanswered]).toEqual([0, 0]);
    expect(broker.log).toMatch(/as t1 \(p5, c0/);
  });

  test("many rows arrive in their order and are answered once each", async () => {
    await withLedger();
    const t1 = terminal("many");
    const ids = Array.from({ length: 200 }, (_, index) => `q${index}`);
    t1.ask(...ids);
    await t1.until("answers", ({ answers }) => answers.length === ids.length);
    expect(t1.answered).toEqual(ids);
    expect(ledger.seen.map(({ requestId }) => requestId)).toEqual(ids);
    expect(t1.store.depth()).toBe(0);
  });

  test("a barred journal says what it sold and takes nothing back, until a later greeting is welcome", async () => {
    await withLedger();
    ledger.verdict = "copied";
    const t1 = terminal("barred");
    t1.request(AUTHORISE, "b1");
    t1.request(REVERSE, "b2");
    t1.request({ ...QUERY, key: AUTHORISE.key }, "b3");
    await t1.until("two answers", ({ answers }) => answers.length === 2);
    expect([t1.verdicts, t1.answered, t1.store.depth()]).toEqual([["copied"], ["b1", "b3"], 1]);
    expect(ledger.greetings).toMatchObject([IDENTITY]);
    ledger.verdict = "welcome";
    await ledger.vanish();
    await t1.until("link down", down);
    await ledger.start();
    await t1.until("the last answer", ({ answers }) => answers.length === 3);
    expect([t1.verdicts, t1.answered]).toEqual([
      ["copied", "welcome"],
      ["b1", "b3", "b2"],
    ]);
  });

  test("a journal that lost its past is told all pages of what the ledger remembers", async () => {
    await withLedger();
    ledger.remembered = Array.from({ length: RECALL_PAGE * 2 + 5 }, (_, index) => ({
      saleId: `s${index}`,
      sequence: index + 1,
      key: `s${index}/1`,
      amount: won(1_000),
      state: "approved",
      refundedMinor: 0n,
      timeMs: 1,
    }));
    const t1 = new AskingTerminal(broker.url, { terminal: "forgetful", tls: broker.identity("forgetful") });
    t1.recalling = true;
    started(t1);
    await t1.until("memory", ({ memories }) => memories.length === 1);
    expect(t1.memories).toEqual([{ lastSequence: RECALL_PAGE * 2 + 5, sales: ledger.remembered }]);
  });

  test("the deny list is there with the connection, and each new one as it comes", async () => {
    await withLedger();
    const tokens = Array.from({ length: 100_000 }, (_, index) => denyHash(`card-${index}`));
    await ledger.deny("denying", buildDenyList(1, tokens));
    const t1 = terminal("denying");
    await t1.until("the first list", ({ denied }) => denied?.version === 1);
    const list = buildDenyList(2, [denyHash("card-1")]);
    await ledger.deny("denying", list);
    await t1.until("the second list", ({ denied }) => denied?.version === 2);
    expect(t1.denied).toEqual(list);
    expect(isDenied(list, "card-1")).toBe(true);
    await ledger.deny("denying", buildDenyList(3, []), forger.privateKey);
    await t1.until("the rejection", ({ uplink }) => uplink.health().rejectedAnswers === 1);
    expect(t1.denied?.version).toBe(2);
  }, 20_000);

  test("the ledger vanishes: the link goes down by its last will, and what waited goes out when it is back", async () => {
    await withLedger();
    const t1 = terminal("patient");
    await t1.until("link", up);
    await ledger.vanish();
    await t1.until("link down", down);
    t1.ask("w1", "w2");
    await withLedger();
    await t1.until("answers", ({ answers }) => answers.length === 2);
    expect([t1.answered, t1.links]).toEqual([
      ["w1", "w2"],
      [true, false, true],
    ]);
  });

  test("the broker is killed with a request on its way: it is sent again and answered once", async () => {
    await withLedger();
    ledger.silent = true;
    const t1 = terminal("hardy");
    await t1.until("link", up);
    t1.ask("k1");
    await until(() => ledger.seen.length === 1, LIMIT_MS, "the request at the ledger");
    await broker.kill();
    await t1.until("link down", down);
    t1.ask("k2");
    ledger.silent = false;
    await broker.resume();
    await t1.until("answers", ({ answers }) => answers.length === 2);
    expect(t1.answered).toEqual(["k1", "k2"]);
    expect(ledger.seen.map(({ requestId }) => requestId)).toEqual(["k1", "k1", "k2"]);
    expect(t1.store.depth()).toBe(0);
  });

  test("answers to an absent terminal are kept by the session and end the row after a restart", async () => {
    await withLedger();
    ledger.silent = true;
    const medium = new MemoryMedium();
    const before = new AskingTerminal(broker.url, {
      terminal: "absent",
      tls: broker.identity("absent"),
      medium,
    });
    before.uplink.start();
    await before.until("link", up);
    before.ask("s1");
    await until(() => ledger.seen.length === 1, LIMIT_MS, "the request at the ledger");
    await before.uplink.stop();
    before.store.close();
    ledger.answer("absent", "s1", QUERY.key);
    const after = terminal("absent", broker.identity("absent"), medium);
    await after.until("answer", ({ answers }) => answers.length === 1);
    expect([after.answered, after.store.depth()]).toEqual([["s1"], 0]);
  });

  test("forged, foreign and unreadable answers raise an alarm and end nothing", async () => {
    await withLedger();
    ledger.silent = true;
    const t1 = terminal("wary");
    await t1.until("link", up);
    t1.ask("f1");
    ledger.answer("wary", "f1", QUERY.key, forger.privateKey);
    await ledger.publishDown(
      "wary",
      encodeDown(
        "other",
        { requestId: "f1", key: QUERY.key, outcome: { kind: "pending" } },
        LEDGER_KEYS.privateKey,
      ),
    );
    await ledger.publishDown("wary", Buffer.from("hello"));
    await t1.until("rejections", ({ uplink }) => uplink.health().rejectedAnswers === 3);
    expect([t1.answers, t1.alarms.length, t1.store.depth()]).toEqual([[], 2, 1]);
  });

  test("a refused row is alarmed and kept among the dead letters", async () => {
    await withLedger();
    ledger.outcome = { kind: "refused", reason: "key-conflict" };
    const t1 = terminal("refused");
    t1.ask("d1");
    await t1.until("answer", ({ answers }) => answers.length === 1);
    expect(t1.store.deadLetters().map(({ id, reason }) => [id, reason])).toEqual([
      ["d1", "refused: key-conflict"],
    ]);
    expect(t1.alarms).toEqual([expect.stringContaining("key-conflict")]);
  });

  test("the access list keeps terminals apart: another's certificate gets no answers", async () => {
    const t1 = terminal("t1", broker.identity("t2"));
    await t1.until("refusal", ({ troubles }) => troubles.some((reason) => reason.includes("access list")));
    expect(t1.links).toEqual([]);
  });

  test.each<[string, (broker: Mosquitto) => Partial<Identity>, RegExp]>([
    [
      "no client certificate",
      ({ folder }) => ({ ca: `${folder}/ca.crt` }),
      /certificate required|closed|ECONNRESET|handshake/i,
    ],
    [
      "an authority that did not sign the server",
      (mosquitto) => mosquitto.identity("t1"),
      /self.signed|unable to verify|certificate/i,
    ],
    [
      "a certificate file that is absent",
      ({ folder }) => ({ cert: `${folder}/none.crt` }),
      /none\.crt cannot be read/,
    ],
  ])("%s is trouble, not a link", async (what, tls, reason) => {
    const files = tls(broker);
    const { ca: _ca, ...withoutAuthority } = files;
    const t1 = started(
      new AskingTerminal(broker.url, { tls: what.startsWith("an authority") ? withoutAuthority : files }),
    );
    await t1.until("trouble", ({ troubles }) => troubles.length > 0);
    expect(t1.troubles[0]).toMatch(reason);
    expect(t1.links).toEqual([]);
  });
});
