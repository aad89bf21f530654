import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { Uplink, type UplinkSettings } from "../../sync/uplink/uplink.ts";
import { STABLE_MS } from "../../sync/uplink/uplink-step.ts";
import { buildDenyList, type DenyList, denyHash, encodeDenyList, encodeGreeted } from "../../sync/wire.ts";
import { IDENTITY } from "../support/asking-terminal.ts";
import { QUERY } from "../support/messages.ts";
import { COMMIT, keys, world } from "../support/scripted-uplink.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the introduction", () => {
  test("says which journal it is, and sends nothing before the ledger has answered", () => {
    const { broker, told, uplink, put } = world();
    put("r1");
    uplink.start();
    broker.events?.onConnected();
    broker.events?.onPresence(true);
    expect(broker.greetings).toEqual([
      { version: 1, terminal: "t1", kind: "greeting", nonce: expect.stringContaining("id-"), ...IDENTITY },
    ]);
    expect([broker.sent, told, uplink.health()]).toEqual([
      [],
      [],
      { linkUp: false, standing: "none", unanswered: 1, rejectedAnswers: 0, duplicateAnswers: 0 },
    ]);
    broker.judge("welcome");
    expect([broker.sent, told]).toEqual([["r1"], ["welcome", "up"]]);
  });

  test("tells of itself anew at every greeting", () => {
    let lastOutboxPosition = 5;
    const { broker, uplink } = world({ identity: () => ({ ...IDENTITY, lastOutboxPosition }) });
    uplink.start();
    broker.letIn();
    lastOutboxPosition = 6;
    broker.events?.onPresence(false);
    broker.events?.onPresence(true);
    expect(broker.greetings.map((greeting) => greeting.lastOutboxPosition)).toEqual([5, 6]);
  });

  test("a barred journal: the reason, then the link", () => {
    const { broker, told, uplink } = world();
    uplink.start();
    broker.letIn("copied");
    expect([told, uplink.health().standing]).toEqual([["barred copied", "up"], "barred"]);
    vi.advanceTimersByTime(60_000);
    broker.judge("welcome");
    expect(told).toEqual(["barred copied", "up", "welcome"]);
  });

  test("a forged, a late and a repeated answer change nothing", () => {
    const { broker, told, uplink } = world();
    const forger = generateKeyPairSync("ed25519");
    uplink.start();
    broker.events?.onConnected();
    broker.events?.onPresence(true);
    const nonce = broker.greetings[0]?.nonce ?? "";
    const forged = encodeGreeted("t1", { kind: "greeted", nonce, verdict: "welcome" }, forger.privateKey);
    broker.events?.onMessage(forged);
    const foreign = encodeGreeted("t2", { kind: "greeted", nonce, verdict: "welcome" }, keys.privateKey);
    broker.events?.onMessage(foreign);
    expect([uplink.health().linkUp, uplink.health().rejectedAnswers]).toEqual([false, 2]);
    broker.judge("welcome");
    broker.judge("copied", nonce);
    broker.events?.onLost("x");
    vi.advanceTimersByTime(1_000);
    broker.events?.onConnected();
    broker.events?.onPresence(true);
    broker.judge("welcome", nonce);
    expect([uplink.health().linkUp, uplink.health().duplicateAnswers]).toEqual([false, 2]);
    expect(told.filter((text) => !text.startsWith("alarm"))).toEqual(["welcome", "up", "down"]);
  });

  test("a journal that lost its past is told what the ledger remembers, page by page", () => {
    const { broker, told, uplink } = world({ recalling: () => true });
    const sale = {
      saleId: "s",
      sequence: 4,
      key: "s/1",
      amount: { minor: 1n, currency: "KRW" },
      state: "approved",
      refundedMinor: 0n,
      timeMs: 1,
    } as const;
    const page = (sequence: number, more: boolean): void => {
      const nonce = broker.recalls.at(-1)?.nonce ?? "none";
      broker.say({ kind: "recalled", nonce, lastSequence: 9, sales: [{ ...sale, sequence }], more });
    };
    uplink.start();
    broker.letIn();
    page(4, true);
    page(7, false);
    expect(broker.recalls.map(({ afterSequence }) => afterSequence)).toEqual([0, 4]);
    expect(told).toEqual(["welcome", "up", "recalled 2 of 9"]);
  });
});

describe("the deny list", () => {
  const list = (version: number): DenyList => buildDenyList(version, [denyHash("card")]);

  test.each<[string, Uint8Array, string[]]>([
    ["a newer one is delivered", encodeDenyList("t1", list(4), keys.privateKey), ["deny list 4"]],
    ["the one that is kept is not", encodeDenyList("t1", list(3), keys.privateKey), []],
    ["an older one is not", encodeDenyList("t1", list(2), keys.privateKey), []],
  ])("%s", (_what, bytes, expected) => {
    const { broker, told, uplink } = world();
    uplink.start();
    broker.events?.onDenyList(bytes);
    expect([told, uplink.health().rejectedAnswers]).toEqual([expected, 0]);
  });

  test.each<[string, Uint8Array]>([
    ["bytes that are none", new Uint8Array([1, 2])],
    ["another terminal's", encodeDenyList("t2", list(4), keys.privateKey)],
    ["a forged one", encodeDenyList("t1", list(4), generateKeyPairSync("ed25519").privateKey)],
  ])("%s is an alarm", (_what, bytes) => {
    const { broker, told, uplink } = world();
    uplink.start();
    broker.events?.onDenyList(bytes);
    expect([uplink.health().rejectedAnswers, told.length]).toEqual([1, 1]);
  });

  test("a broker that refuses its topic is an alarm, not an end", () => {
    const { broker, told, uplink } = world();
    uplink.start();
    broker.events?.onRefused("saypay/v1/t1/deny");
    broker.letIn();
    expect(told).toEqual([expect.stringContaining("access list"), "welcome", "up"]);
  });
});

test("the seal may be somebody else's, and what it refuses is counted", () => {
  const { broker, told, uplink } = world({
    open: ([first]) => {
      if (first === 0) throw new Fault("ledger.signature", "not sealed");
      return { kind: "greeted", nonce: broker.greetings[0]?.nonce ?? "none", verdict: "welcome" };
    },
  });
  uplink.start();
  broker.events?.onConnected();
  broker.events?.onPresence(true);
  broker.events?.onMessage(new Uint8Array([0]));
  broker.events?.onMessage(new Uint8Array([1]));
  expect([uplink.health().rejectedAnswers, told.slice(1)]).toEqual([1, ["welcome", "up"]]);
});

test("the timers may be somebody else's", async () => {
  const running: { ms: number; work: () => void; cancelled: boolean }[] = [];
  const { broker, uplink } = world({
    after: (ms, work) => {
      const timer = { ms, work, cancelled: false };
      running.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
  });
  uplink.start();
  broker.events?.onLost("x");
  running[0]?.work();
  expect([running.map(({ ms }) => ms), broker.connects]).toEqual([[500], 2]);
  broker.letIn();
  await uplink.stop();
  expect(running.map(({ ms, cancelled }) => [ms, cancelled])).toEqual([
    [500, false],
    [STABLE_MS, true],
    [3_000, true],
  ]);
});

describe("uplink", () => {
  test("sends what waits when the link comes up, and what is announced at once", () => {
    const { broker, told, uplink, put } = world();
    put("r1");
    uplink.start();
    expect(broker.sent).toEqual([]);
    broker.letIn();
    put("r2");
    uplink.notify();
    expect([broker.sent, told, uplink.health()]).toEqual([
      ["r1", "r2"],
      ["welcome", "up"],
      { linkUp: true, standing: "welcome", unanswered: 2, rejectedAnswers: 0, duplicateAnswers: 0 },
    ]);
  });

  test("counts what it hands to the broker", () => {
    const { broker, store, uplink, put } = world();
    put("r1");
    uplink.start();
    broker.letIn();
    vi.advanceTimersByTime(3_000);
    expect(store.pending(0, 1)[0]?.sentCount).toBe(2);
  });

  test("a row that an answer brings forth is sent within the same call, after the answer's own effects", () => {
    const { broker, store, uplink, put } = world({
      onAnswer: (answer) => {
        store.append({ ...COMMIT, acknowledged: [answer] });
        if (answer.requestId === "r1") {
          put("r2");
          uplink.notify();
        }
      },
    });
    put("r1");
    uplink.start();
    broker.letIn();
    broker.answer("r1");
    expect(broker.sent).toEqual(["r1", "r2"]);
    broker.answer("r2");
    expect([store.depth(), uplink.health().unanswered]).toEqual([0, 0]);
  });

  test("a request over the limits of the wire goes to the dead letters, the next is sent", () => {
    const { broker, store, told, uplink, put } = world();
    put("x".repeat(300));
    put("r2");
    uplink.start();
    broker.letIn();
    expect(broker.sent).toEqual(["r2"]);
    expect(store.deadLetters().map(({ atMs, reason }) => [atMs, reason])).toEqual([
      [77, expect.stringContaining("longer than")],
    ]);
    expect(store.depth()).toBe(1);
    expect(told.slice(2)).toEqual([
      expect.stringContaining(`buried xxx ${QUERY.key} `),
      expect.stringContaining("alarm"),
    ]);
  });

  test("what is no answer is counted", () => {
    const { broker, told, uplink } = world();
    uplink.start();
    broker.letIn();
    broker.events?.onMessage(new Uint8Array([1, 2, 3]));
    expect([uplink.health().rejectedAnswers, told.at(-1)]).toEqual([
      1,
      expect.stringContaining("wire.malformed"),
    ]);
  });

  test("reconnects by its own timers", () => {
    const troubles: string[] = [];
    const { broker, uplink } = world({ onTrouble: (reason) => troubles.push(reason) });
    uplink.start();
    broker.events?.onLost("first");
    vi.advanceTimersByTime(499);
    expect(broker.connects).toBe(1);
    vi.advanceTimersByTime(1);
    expect(broker.connects).toBe(2);
    broker.letIn();
    vi.advanceTimersByTime(STABLE_MS);
    broker.events?.onLost("second");
    vi.advanceTimersByTime(500);
    expect([broker.connects, troubles]).toEqual([3, ["first", "second"]]);
  });

  test("a listener for trouble is not needed", () => {
    const { broker, uplink } = world();
    uplink.start();
    broker.events?.onLost("x");
    expect(uplink.health().linkUp).toBe(false);
  });

  test("after stop nothing is sent, told or tried", async () => {
    const { broker, told, uplink, put } = world({ onTrouble: (reason) => told.push(reason) });
    uplink.start();
    broker.letIn();
    broker.events?.onLost("x");
    await uplink.stop();
    await uplink.stop();
    put("r1");
    uplink.notify();
    broker.letIn();
    broker.events?.onLost("y");
    broker.events?.onMessage(new Uint8Array([1]));
    broker.events?.onDenyList(new Uint8Array([1]));
    broker.events?.onRefused("deny");
    vi.advanceTimersByTime(100_000);
    expect([broker.connects, broker.closed, broker.sent, told]).toEqual([
      1,
      1,
      [],
      ["welcome", "up", "x", "down"],
    ]);
  });

  test("a stop from within a callback ends the work at once", async () => {
    let stopped: Promise<void> | undefined;
    const { broker, uplink, put } = world({
      onLink: () => {
        stopped = uplink.stop();
      },
    });
    put("r1");
    uplink.start();
    broker.letIn();
    await stopped;
    expect(broker.sent).toEqual([]);
  });

  test("starts again after a stop, from the outbox", async () => {
    const { broker, uplink, put } = world();
    put("r1");
    uplink.start();
    broker.letIn();
    await uplink.stop();
    uplink.start();
    broker.letIn();
    expect(broker.sent).toEqual(["r1", "r1"]);
  });

  test("a fault of the journal reaches whoever brought the news, and the next news are heard", () => {
    let broken = true;
    const { broker, uplink, put } = world({
      onAnswer: () => {
        if (broken) throw new Fault("journal.unwritable", "full");
      },
    });
    put("r1");
    put("r2");
    uplink.start();
    broker.letIn();
    expect(() => broker.answer("r1")).toThrow(Fault);
    broken = false;
    broker.answer("r2");
    expect(uplink.health().unanswered).toBe(0);
  });

  test("a programmer error while sending or reading is not taken for a bad message", () => {
    let trusted: unknown = [keys.publicKey];
    const { broker, store, uplink, put } = world({
      get ledgerKeys() {
        return trusted as [];
      },
    });
    uplink.start();
    broker.letIn();
    trusted = undefined;
    expect(() => broker.answer("r1")).toThrow(TypeError);
    put("r1", { ...QUERY, kind: "authorise" } as LedgerRequest);
    expect(() => uplink.notify()).toThrow(TypeError);
    expect(store.deadLetters()).toEqual([]);
  });

  test.each<[string, Partial<UplinkSettings>]>([
    ["a terminal id that is no topic level", { terminal: "a/b" }],
  ])("refuses to start with %s", (_what, change) => {
    const { uplink } = world(change);
    expect(() => uplink.start()).toThrow(Fault);
  });

  test("starting twice is a programmer error", () => {
    const { uplink } = world();
    uplink.start();
    expect(() => uplink.start()).toThrow(/started/);
  });
});

test("chance, the clock, ids and timers are the machine's where nobody says otherwise", async () => {
  const { broker, store, settings } = world();
  const { random: _, freshId: __, nowMs: ___, ...rest } = settings;
  const uplink = new Uplink(rest);
  store.append({ ...COMMIT, outbox: [{ id: "x".repeat(300), request: QUERY }] });
  uplink.start();
  broker.letIn();
  expect(store.deadLetters()[0]?.atMs).toBe(Date.now());
  expect(broker.greetings[0]?.nonce).toMatch(/^[0-9a-f]{8}-/);
  broker.events?.onLost("x");
  vi.advanceTimersByTime(750);
  expect(broker.connects).toBe(2);
  await uplink.stop();
});
