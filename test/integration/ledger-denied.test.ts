/**
 * The deny list on real parts: an operator denies a card over HTTP, the ledger declines it and publishes the list through
 * the broker, the terminal's uplink checks it and the journal keeps it.
 */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MAX_BODY_BYTES } from "../../sync/ledger/http.ts";
import { buildDenyList, denyHash, encodeDenyList, isDenied, topicsOf } from "../../sync/wire.ts";
import type { JournalTerminal } from "../support/journal-terminal.ts";
import { LedgerTrial } from "../support/ledger-trial.ts";

/** Files are synced and brokers asked here, on machines that may be busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const STOLEN = "ntag424:stolen";
const WHY = { reason: "stolen", by: "kim" };
const tap = (counter: number, token = STOLEN) => ({ card: { token, masked: "****-1", counter } });

type Changed = { readonly card: string; readonly version: number };
type Listed = {
  readonly version: number;
  readonly cards: readonly {
    readonly card: string;
    readonly masked: string | null;
    readonly reason: string;
  }[];
};

let trial: LedgerTrial;
beforeEach(async () => {
  trial = new LedgerTrial();
  await trial.start();
});
afterEach(async () => {
  await trial.end();
});

/** Waits until the terminal keeps a list of this version or a newer one. */
async function kept(terminal: JournalTerminal, version: number): Promise<void> {
  await terminal.until(`list ${version} is kept`, () => (terminal.store.denyList()?.version ?? 0) >= version);
}

const denies = (terminal: JournalTerminal, token: string): boolean => {
  const list = terminal.store.denyList();
  return list !== null && isDenied(list, token);
};

describe("a card that is denied", () => {
  test("by one of its charges is declined online without a question to the gateway, and known to every terminal", async () => {
    const [one, two] = [trial.machine("one"), trial.machine("two", { terminal: "counter-2" })];
    one.sell("a/1", tap(1));
    expect(await one.outcome("a/1")).toBe("approved");
    const denied = await trial.post<Changed>("/v1/denied-cards", {
      terminal: "counter-1",
      key: "a/1",
      ...WHY,
    });
    await kept(one, denied.version);
    await kept(two, denied.version);
    expect([denies(one, STOLEN), denies(two, STOLEN), denies(one, "ntag424:other")]).toEqual([
      true,
      true,
      false,
    ]);
    two.sell("b/1", tap(2));
    expect(await two.outcome("b/1")).toBe("declined card-blocked");
    two.sell("c/1", tap(3, "ntag424:other"));
    expect(await two.outcome("c/1")).toBe("approved");
    const { charges } = await trial.call<{ charges: { orderId: string }[] }>("/sandbox/charges");
    expect(charges.map(({ orderId }) => orderId).sort()).toEqual(["a", "c"]);
    expect(await trial.alarms()).toEqual(["card-denied counter-2 b/1"]);
    const listed = await trial.call<Listed>("/v1/denied-cards");
    expect(listed).toMatchObject({
      version: denied.version,
      cards: [{ card: denied.card, masked: "****-1", ...WHY }],
    });
  });

  test("is taken off the list again, and pays", async () => {
    const terminal = trial.machine("one");
    const { card } = await trial.post<Changed>("/v1/denied-cards", { token: STOLEN, ...WHY });
    terminal.sell("a/1", tap(1));
    expect(await terminal.outcome("a/1")).toBe("declined card-blocked");
    const allowed = await trial.call<Changed>(`/v1/denied-cards/${card}?by=lee`, { method: "DELETE" });
    await kept(terminal, allowed.version);
    expect(denies(terminal, STOLEN)).toBe(false);
    terminal.sell("b/1", tap(2));
    expect(await terminal.outcome("b/1")).toBe("approved");
  });

  test("whose goods are handed over offline is tried all the same: the shop has only to gain", async () => {
    const terminal = trial.machine("one");
    await trial.post("/v1/denied-cards", { token: STOLEN, ...WHY });
    terminal.sell("a/1", { ...tap(1), mode: "offline" });
    expect(await terminal.outcome("a/1")).toBe("approved");
  });

  test("stays denied when the ledger was restarted, and its broker has the list for who comes then", async () => {
    const { version } = await trial.post<Changed>("/v1/denied-cards", { token: STOLEN, ...WHY });
    await trial.stop();
    await trial.start();
    const client = await connectAsync(trial.url, { clientId: "counter-2", protocolVersion: 4 });
    const first = new Promise<boolean>((resolve) =>
      client.on("message", (_topic, _bytes, { retain }) => resolve(retain)),
    );
    await client.subscribeAsync(topicsOf("counter-2").deny, { qos: 1 });
    expect(await first).toBe(true);
    await client.endAsync(true);
    const terminal = trial.machine("one");
    await kept(terminal, version);
    expect(denies(terminal, STOLEN)).toBe(true);
    terminal.sell("a/1", tap(1));
    expect(await terminal.outcome("a/1")).toBe("declined card-blocked");
  });
});

describe("a list that is not the ledger's", () => {
  const forged = (terminal: string, version: number): Uint8Array =>
    encodeDenyList(
      terminal,
      buildDenyList(version, [denyHash("ntag424:victim")]),
      generateKeyPairSync("ed25519").privateKey,
    );

  test("is refused by the terminal when the broker lets it through", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const careless = await Aedes.createBroker();
    const server = createServer((socket) => void careless.handle(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `mqtt://127.0.0.1:${port}`;
    const publisher = await connectAsync(url, { clientId: "anybody", protocolVersion: 4 });
    const publish = async (bytes: Uint8Array): Promise<void> => {
      await publisher.publishAsync(topicsOf("counter-1").deny, Buffer.from(bytes), { qos: 1, retain: true });
    };
    const true1 = encodeDenyList("counter-1", buildDenyList(1, [denyHash(STOLEN)]), privateKey);
    const true2 = encodeDenyList("counter-1", buildDenyList(2, []), privateKey);
    const replayed = encodeDenyList("counter-2", buildDenyList(7, [denyHash("ntag424:victim")]), privateKey);

    await publish(forged("counter-1", 9));
    const terminal = trial.machine("one", { url, ledgerKey: publicKey });
    const refused = async (count: number): Promise<void> =>
      terminal.until(`${count} are refused`, () => terminal.uplink.health().rejectedAnswers === count);
    await refused(1);
    await publish(replayed);
    await refused(2);
    await publish(true2);
    await kept(terminal, 2);
    // An old list that was true once takes nobody on it again.
    await publish(true1);
    await publish(forged("counter-1", 10));
    await refused(3);
    expect(terminal.store.denyList()).toMatchObject({ version: 2, count: 0 });
    await trial.switchOff(terminal);
    await publisher.endAsync(true);
    server.close();
    await new Promise<void>((resolve) => careless.close(() => resolve()));
  });

  test("is refused by the broker when a terminal publishes it, to itself or to another", async () => {
    const victim = trial.machine("one");
    expect(await victim.verdict()).toBe("welcome");
    for (const username of ["counter-1", "counter-2"]) {
      const options = {
        clientId: `liar ${username}`,
        username,
        protocolVersion: 4,
        reconnectPeriod: 0,
      } as const;
      const liar = await connectAsync(trial.url, options);
      liar.on("error", () => undefined);
      const bytes = Buffer.from(forged("counter-1", 9e15));
      const sent = liar.publishAsync(topicsOf("counter-1").deny, bytes, { qos: 1, retain: true });
      // The broker hangs up, which the publisher may or may not be told.
      await Promise.race([sent.catch(() => undefined), delay(500)]);
      await liar.endAsync(true);
    }
    const { version } = await trial.post<Changed>("/v1/denied-cards", { token: STOLEN, ...WHY });
    await kept(victim, version);
    expect(denies(victim, "ntag424:victim")).toBe(false);
    expect(victim.uplink.health().rejectedAnswers).toBe(0);
  });
});

describe("the operator's way to the list", () => {
  /** JSON of a card that could be denied, and much white space. */
  const LONG = JSON.stringify({ token: STOLEN, ...WHY }).padEnd(MAX_BODY_BYTES + 1);

  test.each<[string, object, number, RegExp]>([
    ["a charge that never was", { terminal: "counter-1", key: "none", ...WHY }, 409, /no charge/],
    ["no reason", { token: STOLEN, by: "kim" }, 400, /reason/],
    ["nobody's name", { token: STOLEN, reason: "stolen" }, 400, /by/],
    ["neither charge nor token", { ...WHY }, 400, /token/],
    ["more than is asked for", { token: STOLEN, ...WHY, card: "1" }, 400, /card/],
  ])("with %s is refused and says why", async (_what, body, status, reason) => {
    const response = await trial.respond("/v1/denied-cards", { method: "POST", body: JSON.stringify(body) });
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error).toMatch(reason);
    expect(await trial.call("/v1/denied-cards")).toMatchObject({ version: 0, count: 0 });
  });

  test("needs JSON, a name to take a card off, and a card that is on the list", async () => {
    const plain = { "content-type": "text/plain" };
    const body = JSON.stringify({ token: STOLEN, ...WHY });
    const statusOf = async (path: string, init: RequestInit): Promise<number> =>
      (await trial.respond(path, init)).status;
    expect(await statusOf("/v1/denied-cards", { method: "POST", headers: plain, body })).toBe(415);
    expect(await statusOf("/v1/denied-cards", { method: "POST", body: "{" })).toBe(400);
    expect(await statusOf("/v1/denied-cards/aa", { method: "DELETE" })).toBe(400);
    expect(await statusOf("/v1/denied-cards/aa?by=kim", { method: "DELETE" })).toBe(404);
    expect(await trial.call("/v1/denied-cards")).toMatchObject({ version: 0, count: 0 });
  });

  test.each<[string, () => NonNullable<RequestInit["body"]>]>([
    ["told", () => LONG],
    ["not told", () => new Blob([LONG]).stream()],
  ])("takes no body of any length into memory, its length %s", async (_how, body) => {
    const init = { method: "POST", body: body(), duplex: "half" } as RequestInit;
    const response = await trial.respond("/v1/denied-cards", init);
    expect([response.status, await response.json()]).toEqual([413, { error: "send at most 16384 bytes" }]);
    expect(await trial.call("/v1/denied-cards")).toMatchObject({ version: 0, count: 0 });
  });

  test("is this machine's own address while no token is set: another name that points here is refused", async () => {
    const statusOf = async (host: string): Promise<number | undefined> => {
      const asked = request(trial.httpUrl("/v1/denied-cards"), { headers: { host } }).end();
      const [response] = (await once(asked, "response")) as [{ statusCode?: number; resume(): void }];
      response.resume();
      return response.statusCode;
    };
    expect(await Promise.all(["localhost:8090", "127.0.0.1", "[::1]:1"].map(statusOf))).toEqual([
      200, 200, 200,
    ]);
    expect(await Promise.all(["evil.example", "localhost.evil.example", "10.0.0.1"].map(statusOf))).toEqual([
      403, 403, 403,
    ]);
  });
});
