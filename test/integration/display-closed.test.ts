/** The customer display of a terminal whose journal the ledger does not accept, or that has not got its past back yet. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EMPTY_TERMINAL, type TerminalState } from "../../daemon/core/sale.ts";
import { viewOf } from "../../daemon/core/view.ts";
import { DisplayServer } from "../../daemon/display/server.ts";
import { Observers } from "../../daemon/shell/observation.ts";
import { openBrowser, openDisplay, whyNoBrowser } from "../support/browser.ts";
import { MENU, SETTINGS } from "../support/shop.ts";

const START_LIMIT_MS = 60_000;
const noBrowser = whyNoBrowser();
if (noBrowser !== null) console.warn(noBrowser);

describe.skipIf(noBrowser !== null)("a display where nothing is sold", { timeout: START_LIMIT_MS }, () => {
  const observers = new Observers();
  let state: TerminalState = EMPTY_TERMINAL;
  const view = () => viewOf(SETTINGS, state);
  const server = new DisplayServer({
    shop: { name: "가게", language: "ko", menu: MENU },
    state: view,
    sales: () => null,
    health: () => null,
    wake: () => null,
    touch: () => undefined,
    present: () => undefined,
    observe: (listener) => observers.add(listener),
  });
  let browser: Browser;
  let page: Page;

  const stands = (standing: TerminalState["standing"]): void => {
    state = { ...EMPTY_TERMINAL, standing };
    observers.tell({ kind: "view", view: view() });
  };

  beforeAll(async () => {
    const port = await server.start("127.0.0.1", 0);
    browser = await openBrowser([]);
    ({ page } = await openDisplay(browser, `http://127.0.0.1:${port}`));
  }, START_LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  it.each([
    [{ kind: "barred", reason: "copied" }, "지금은 주문을 받지 않습니다", "직원에게 말씀해 주세요."],
    [
      { kind: "recalling" },
      "잠시 준비하고 있습니다",
      "곧 다시 주문하실 수 있습니다. 급하시면 직원에게 말씀해 주세요.",
    ],
  ] as const)("because it is %o, says so and offers nothing", async (standing, title, advice) => {
    stands(standing);
    await page.getByRole("heading", { name: title }).waitFor();
    await page.getByText(advice).waitFor();
    expect(await page.getByRole("button", { name: "주문 시작" }).isVisible()).toBe(false);
    expect(await page.locator("main").textContent()).not.toMatch(/복사|copied|ledger|journal/);
  });

  it("sells again when the ledger welcomes it", async () => {
    stands({ kind: "barred", reason: "replaced" });
    await page.getByRole("heading", { name: "지금은 주문을 받지 않습니다" }).waitFor();
    stands({ kind: "welcome" });
    await page.getByRole("button", { name: "주문 시작" }).waitFor();
  });
});
