/**
 * The card reader as production runs it: the driver in its supervised process, a real pcscd, a virtual NTAG 424 DNA.
 * What a process can suffer and an object in the test's own process cannot.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DriverProcess, driverProcess } from "../support/driver-process.ts";
import {
  type PcscService,
  startPcscService,
  startVirtualCard,
  TEST_CARD_KEYS,
  type VirtualCardProgram,
} from "../support/pcsc.ts";
import { isAlive } from "../support/processes.ts";

const LIMIT_MS = 8_000;
/** A supervisor tries again and again; the wait ends with the last refusal. */
const REFUSAL_LIMIT_MS = 3_500;
/** pcscd looks at a virtual reader every 400 ms. */
const NOTICED_MS = 500;

describe("the card reader's process", { timeout: 40_000 }, () => {
  let service: PcscService;
  let card: VirtualCardProgram;
  const started: DriverProcess<"card-reader">[] = [];

  beforeAll(async () => {
    service = await startPcscService();
    card = await startVirtualCard(service.port);
  });
  afterAll(async () => {
    await card.stop();
    await service.stop();
  });
  afterEach(async () => {
    await card.control("remove");
    await Promise.all(started.splice(0).map(({ child }) => child.stop()));
    await new Promise((resolve) => setTimeout(resolve, NOTICED_MS));
  });

  function reader(settings: object = {}): DriverProcess<"card-reader"> {
    const common = {
      socket: service.socket,
      readerName: "Virtual PCD",
      keys: TEST_CARD_KEYS,
      answerTimeoutMs: 600,
    };
    const made = driverProcess<"card-reader">("card-reader/pcsc", { ...common, ...settings }, {});
    started.push(made);
    made.child.start();
    return made;
  }

  test("killed in the middle of a sale, it comes back and reads the next tap", async () => {
    const made = reader();
    await made.child.whenRunning(LIMIT_MS);
    await made.child.command({ kind: "arm" });
    const first = made.pid();
    const restarted = new Promise<void>((resolve) => made.child.onRestarted(resolve));
    process.kill(first, "SIGKILL");
    await restarted;
    await made.child.whenRunning(LIMIT_MS);
    expect(made.pid()).not.toBe(first);
    await made.child.command({ kind: "arm" });
    await card.control("tap", { card: "genuine" });
    const event = await made.next(({ kind }) => kind === "card", LIMIT_MS);
    expect(Object.keys(event).toSorted()).toEqual(["counter", "kind", "masked", "token", "verified"]);
  });

  test("a genuine card on the reader is read at once when armed, over the process boundary", async () => {
    const made = reader();
    await made.child.whenRunning(LIMIT_MS);
    await card.control("tap", { card: "genuine-waiting" });
    await new Promise((resolve) => setTimeout(resolve, NOTICED_MS));
    const armedAt = performance.now();
    await made.child.command({ kind: "arm" });
    await made.next(({ kind }) => kind === "card", LIMIT_MS);
    console.log(`armed to event over the process boundary: ${(performance.now() - armedAt).toFixed(0)} ms`);
  });

  test("it can be ended while a card hangs in the reader", async () => {
    const made = reader();
    await made.child.whenRunning(LIMIT_MS);
    await made.child.command({ kind: "arm" });
    await card.control("hang");
    await card.control("tap", { card: "genuine" });
    await made.next((event) => event.kind === "fault" && event.code === "card.reader-hung", LIMIT_MS);
    const pid = made.pid();
    await made.child.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test("without a reader it says so, and takes the one that comes later", async () => {
    const made = reader();
    await made.child.whenRunning(LIMIT_MS);
    await service.kill();
    await made.next((event) => event.kind === "fault" && event.code === "card.service-down", LIMIT_MS);
    await service.start({ readers: "unplugged" });
    await made.next((event) => event.kind === "fault" && event.code === "card.reader-missing", LIMIT_MS);
    const before = made.events.length;
    await service.kill();
    await service.start();
    await made.next(({ kind }) => kind === "recovered", LIMIT_MS, before);
    await made.child.command({ kind: "arm" });
    await card.control("tap", { card: "genuine" });
    await made.next(({ kind }) => kind === "card", LIMIT_MS);
  });

  test.each([
    ["no PC/SC service", { socket: "/nonexistent/pcscd.comm" }, "card.service-down", /nobody answers/u],
    ["no such reader", { readerName: "Nothing" }, "card.reader-missing", /name contains "Nothing"/u],
    [
      "a key file that is not there",
      { keys: undefined, keyFile: "/nonexistent" },
      "settings.invalid",
      /key file/u,
    ],
    ["a mistake in the settings", { keys: { metaReadKeyHex: "00" } }, "settings.invalid", /metaReadKeyHex/u],
  ] as const)("with %s it refuses to open and says why", async (_, settings, code, detail) => {
    const made = reader(settings);
    await expect(made.child.whenRunning(REFUSAL_LIMIT_MS)).rejects.toMatchObject({
      code,
      detail: expect.stringMatching(detail),
    });
  });
});
