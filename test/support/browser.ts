/**
 * A real browser at the customer display: Debian's chromium without a window, driven by playwright-core, which brings
 * no browser of its own. Everything is done as a customer does it, by finger, keyboard or what a screen reader is told.
 */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
/** A phase that a customer waits for, e.g. the answer of the bank. */
const STEP_LIMIT_MS = 15_000;
const LARGE = { width: 1280, height: 800 };

/** What is missing for tests with a browser, said loudly; null when nothing is. */
export function whyNoBrowser(): string | null {
  if (existsSync(CHROMIUM)) return null;
  return `${CHROMIUM} is missing, so the customer display is NOT tested; apt-get install chromium`;
}

/**
 * Closing it ends all its pages. The sandbox needs rights that root in a container does not have. `names` resolve to this
 * machine, as an attacker's name server could make them do.
 */
export function openBrowser(names: readonly string[] = []): Promise<Browser> {
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(",");
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", `--host-resolver-rules=${rules}`];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/** A display with a touch screen in front of a customer. What its script throws or is forbidden is kept in `mishaps`. */
export async function openDisplay(
  browser: Browser,
  address: string,
  size: { readonly width: number; readonly height: number } = LARGE,
): Promise<{ readonly page: Page; readonly mishaps: string[] }> {
  const context = await browser.newContext({ viewport: size, hasTouch: true, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_LIMIT_MS);
  const mishaps: string[] = [];
  page.on("pageerror", (error) => mishaps.push(error.message));
  page.on("console", (message) => {
    // A link that is down is reported by the browser as well, and is part of the test.
    if (message.type() === "error" && !message.text().includes("net::ERR_")) mishaps.push(message.text());
  });
  await page.goto(address);
  return { page, mishaps };
}
