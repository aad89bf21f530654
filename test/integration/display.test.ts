/**
 * The customer display as customers use it: a real browser at a real terminal, by finger alone, by keyboard alone, and
 * by what a screen reader is told (everything is found by its role and accessible name). No voice is used: a customer
 * who cannot hear or speak must get to the receipt.
 */
import { request } from "node:http";
import { createServer } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { View } from "../../daemon/core/view.ts";
import type { Screen } from "../../daemon/display/screen.ts";
import { openBrowser, openDisplay, whyNoBrowser } from "../support/browser.ts";
import { Counter } from "../support/counter.ts";
import { verdictOf } from "../support/driven-sale.ts";

const START_LIMIT_MS = 90_000;
const CASE_LIMIT_MS = 60_000;
/** Far less than it takes to read a menu. */
const NO_INPUT_MS = 1_000;
const UNTIL_LIMIT_MS = 30_000;
/** A name that a stranger made resolve to this machine. */
const FOREIGN = "shop.example";
const noBrowser = whyNoBrowser();
if (noBrowser !== null) console.warn(noBrowser);

let counter: Counter;
let port: number;

beforeAll(async () => {
  port = await freePort();
  // The display finds the daemon at the same address after a restart, as in a shop. Short sentences save time.
  const dialogue = { noInputMs: NO_INPUT_MS, misses: 10 };
  counter = new Counter({ settings: { display: { port }, speaking: { rate: 400 }, dialogue } });
  await counter.startSurroundings();
  await counter.startDaemon();
  await until(async () => (await counter.health()).linkUp);
}, START_LIMIT_MS);

afterAll(async () => {
  await counter.stop();
});

describe.skipIf(noBrowser !== null)("a browser at the counter", { timeout: CASE_LIMIT_MS }, () => {
  let browser: Browser;
  let page: Page;
  let mishaps: string[];

  const button = (name: string | RegExp, exact = true) => page.getByRole("button", { name, exact });
  const heading = (name: string) => page.getByRole("heading", { name });
  const lines = (): Promise<string[]> => page.locator("#lines li").allInnerTexts();
  const begin = (): Promise<void> => button(/^(주문 시작|새 주문)$/).tap();
  const focused = (): Promise<string> =>
    page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText");

  beforeAll(async () => {
    browser = await openBrowser([FOREIGN]);
    ({ page, mishaps } = await openDisplay(browser, address()));
  }, START_LIMIT_MS);

  beforeEach(async () => {
    await page.reload();
    await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
    await until(async () => (await state()).phase === "idle");
  });

  afterEach(() => {
    expect(mishaps).toEqual([]);
  });

  afterAll(async () => {
    await browser.close();
  });

  it("sells by touch alone, from the first touch to the receipt", async () => {
    await begin();
    await page.getByRole("button", { name: "카페라떼" }).tap();
    await page.getByRole("radio", { name: "아이스" }).tap();
    await button("카페라떼 하나 더").tap();
    await button("10,000원 담기").tap();
    await page.getByRole("button", { name: "크루아상" }).tap();
    await button("크루아상 하나 더").tap();
    await page.getByText("17,000원").first().waitFor();
    await button("크루아상 하나 빼기").tap();
    await button("13,500원 결제하기").waitFor();
    expect((await lines()).map((line) => line.split(/\s*\n\s*/))).toEqual([
      ["카페라떼 아이스", "10,000원", "−", "2", "+"],
      ["크루아상", "3,500원", "−", "1", "+"],
    ]);
    const { saleId } = await state();
    await button("13,500원 결제하기").tap();
    await heading("카드를 대 주세요").waitFor();
    await counter.tap();
    await heading("결제되었습니다").waitFor();
    await page.getByText("영수증을 받아 주세요. 고맙습니다!").waitFor();
    await page.locator("#result").getByText("13,500원").waitFor();
    expect(await verdictOf(counter, saleId ?? "")).toEqual({
      books: 1,
      charges: 1,
      originals: 1,
      copies: 0,
    });
  });

  it("can be used by keyboard alone, and keeps the focus where it is", async () => {
    const press = (key: string): Promise<void> => page.keyboard.press(key);
    await button(/^(주문 시작|새 주문)$/).waitFor();
    while (!/^(주문 시작|새 주문)$/.test(await focused())) await press("Tab");
    await press("Enter");
    await heading("무엇을 드릴까요?").waitFor();
    while (!(await focused()).startsWith("아메리카노")) await press("Tab");
    await press("ArrowRight");
    expect(await focused()).toContain("카페라떼");
    await press("Enter");
    await heading("카페라떼").waitFor();
    await press("Escape");
    expect(await focused()).toContain("카페라떼");
    await press("Enter");
    await page.getByRole("radio", { name: "따뜻한" }).focus();
    await press("ArrowRight");
    while ((await focused()) !== "5,000원 담기") await press("Tab");
    await press("Enter");
    await button("5,000원 결제하기").waitFor();
    while ((await focused()) !== "카페라떼 아이스 하나 더") await press("Tab");
    await press("Enter");
    await button("10,000원 결제하기").waitFor();
    expect(await focused()).toBe("카페라떼 아이스 하나 더");
    while ((await focused()) !== "10,000원 결제하기") await press("Tab");
    await press("Enter");
    await heading("카드를 대 주세요").waitFor();
    // Not on a button: who still presses Enter must not end the sale.
    expect(await focused()).toBe("카드를 대 주세요");
    while ((await focused()) !== "주문 취소") await press("Tab");
    await press("Space");
    await heading("주문을 취소했습니다").waitFor();
  });

  it("shows what is spoken as a caption that screen readers read, also to a display that connects late", async () => {
    await begin();
    await page.getByRole("button", { name: "생수" }).tap();
    const caption = page.getByRole("status").filter({ hasText: "생수 1병" });
    await caption.waitFor();
    expect(await caption.getAttribute("aria-live")).toBe("polite");
    const text = (await state()).caption?.text ?? "";
    expect(text).toContain("1,000원");
    const late = await openDisplay(browser, address(), { width: 480, height: 800 });
    await late.page.getByText(text).waitFor();
    await late.page.getByRole("button", { name: "1,000원 결제하기" }).waitFor();
    expect(late.mishaps).toEqual([]);
    await late.page.context().close();
  });

  it("shows the same basket again after the daemon was killed in the middle", async () => {
    await begin();
    await page.getByRole("button", { name: "치즈케이크" }).tap();
    await page.getByRole("button", { name: "소금빵" }).tap();
    await button("9,500원 결제하기").waitFor();
    const before = await lines();
    await counter.daemon.end("SIGKILL");
    await page.getByRole("alert").filter({ hasText: "연결 중입니다" }).waitFor();
    await button("9,500원 결제하기").tap();
    await counter.startDaemon();
    await page.getByText("연결 중입니다").waitFor({ state: "hidden" });
    expect(await lines()).toEqual(before);
    // What was pressed without a daemon has not been kept for later.
    expect((await state()).phase).toBe("read-back");
    await button("9,500원 결제하기").tap();
    await heading("카드를 대 주세요").waitFor();
  });

  it("does not ask whether somebody is still there who reads the menu", async () => {
    const prompt = async (): Promise<string | undefined> => (await state()).caption?.prompt;
    await counter.wake();
    await until(async () => (await prompt()) === "no-input");
    await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
    await begin();
    await until(async () => (await state()).voice === "listening");
    await page.waitForTimeout(3 * NO_INPUT_MS);
    expect(await prompt()).toBe("welcome");
  });

  it("asks about an unusual quantity, and takes no for an answer", async () => {
    await begin();
    await until(async () => (await state()).phase === "listening");
    const add = { kind: "add", itemId: "water", quantity: 30, options: {} };
    await counter.watcher.post("/turn", { intent: { kind: "edit", edits: [add] } });
    await page.getByRole("dialog", { name: "생수 30개가 맞나요?" }).waitFor();
    await button("아니요").tap();
    await page.getByText("아직 담은 것이 없습니다").waitFor();
  });

  it("speaks English to those who choose it, and says that only Korean is understood by ear", async () => {
    await button("English").tap();
    await button(/^(Start|New order)$/).tap();
    await page.getByRole("button", { name: "croissant" }).tap();
    await button("Pay ₩3,500").waitFor();
    await page.getByText("Speech is understood in Korean only").waitFor();
    expect((await state()).language).toBe("en");
  });

  it("is out of reach for other pages, whatever their names resolve to", async () => {
    const policy = (await page.goto(address()))?.headers()["content-security-policy"];
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-.*frame-ancestors 'none'$/);
    const foreign = await browser.newContext();
    const other = await foreign.newPage();
    // This machine under another name is another origin.
    await other.goto(`http://localhost:${port}/health`);
    const wake = `fetch("${address()}/wake", { method: "POST", body: "{}", mode: "no-cors" }).then(() => "sent")`;
    expect(await other.evaluate(wake)).toBe("sent");
    expect((await state()).phase).toBe("idle");
    const rebound = await other.goto(`http://${FOREIGN}:${port}/`);
    expect(rebound?.status()).toBe(403);
    await foreign.close();
  });

  it("says in words what does not work", async () => {
    const told = (text: string) => page.getByRole("alert").filter({ hasText: text });
    await counter.printer.act("paper-out");
    await told("영수증 용지가 없습니다").waitFor();
    await counter.printer.act("ok");
    await told("영수증 용지가 없습니다").waitFor({ state: "detached" });
    counter.network.cut();
    await page.getByText("오프라인 결제").waitFor();
    counter.network.mend();
  });
});

describe("the display's server", () => {
  type Asked = {
    readonly path: string;
    readonly body?: string;
    readonly headers?: { readonly [name: string]: string };
  };

  /** fetch() does not let a program choose Host and Origin. */
  const ask = ({ path, body, headers = {} }: Asked): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const options = { port, path, headers, method: body === undefined ? "GET" : "POST" };
      const sent = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on("error", reject);
      sent.end(body);
    });

  const refused: [what: string, asked: Asked][] = [
    ["a wake of another origin", { path: "/wake", body: "{}", headers: { origin: "http://shop.example" } }],
    ["a touch without an origin of its own", { path: "/turn", body: "{}", headers: { origin: "null" } }],
    ["a state under a foreign name", { path: "/state", headers: { host: "shop.example" } }],
    ["events for another site", { path: "/screen", headers: { "sec-fetch-site": "cross-site" } }],
  ];
  it.each(refused)("refuses %s", async (_, asked) => {
    const { status, text } = await ask(asked);
    expect(status).toBe(403);
    expect(text).toContain("error");
  });

  const mistakes: [what: string, status: number, asked: Asked][] = [
    ["no JSON", 400, { path: "/turn", body: "{" }],
    ["no object", 400, { path: "/wake", body: "[]" }],
    ["an unknown language", 400, { path: "/wake", body: '{"language":"xx"}' }],
    ["an unknown intent", 400, { path: "/turn", body: '{"intent":{"kind":"refund"}}' }],
    ["an amount of its own", 400, { path: "/turn", body: '{"intent":{"kind":"confirm","amount":1}}' }],
    ["an empty touch", 400, { path: "/turn", body: "" }],
    ["a body without end", 413, { path: "/turn", body: `"${"x".repeat(20_000)}"` }],
    ["an unknown path", 404, { path: "/pay", body: "{}" }],
  ];
  it.each(mistakes)("answers %s with %i", async (_, status, asked) => {
    const answer = await ask(asked);
    expect(answer.status).toBe(status);
  });

  it("takes no yes to what is no longer on the display", async () => {
    await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
    const { saleId } = await counter.wake();
    const add = { kind: "add", itemId: "water", quantity: 2, options: {} };
    await counter.watcher.post("/turn", { intent: { kind: "edit", edits: [add] } });
    const yes = (totalMinor: string): string =>
      JSON.stringify({ intent: { kind: "confirm" }, seen: { saleId, totalMinor } });
    await until(async () => (await state()).phase === "read-back");
    expect((await ask({ path: "/turn", body: yes("1000") })).status).toBe(409);
    expect((await state()).phase).toBe("read-back");
    expect((await ask({ path: "/turn", body: yes("2000") })).status).toBe(202);
    await until(async () => (await state()).phase === "awaiting-card");
    await counter.watcher.post("/turn", { intent: { kind: "cancel" } });
  });

  it("lets nobody flood the journal", async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => ask({ path: "/present", body: "{}" })),
    );
    expect(answers.some(({ status }) => status === 429)).toBe(true);
    expect(answers.some(({ status }) => status === 204)).toBe(true);
  });
});

const address = (): string => `http://127.0.0.1:${port}`;
const state = (): Promise<Screen & View> => counter.watcher.get("/state");

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + UNTIL_LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`not so after ${UNTIL_LIMIT_MS} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : 0));
    });
  });
}
