/**
 * The local server of a terminal: its state and captions for the customer display, wake and touch from it.
 *
 * It listens on loopback. Whoever can connect can order, but not pay: that takes a card. Pages of other origins and
 * names that are not this machine's are refused, see guard.ts.
 *
 *   GET  /            the customer display (a page)
 *   GET  /menu        names, options and prices; GET /words: the page's words in each language
 *   GET  /state       what the display shows now, as JSON
 *   GET  /screen      server-sent events: "state" whenever that changed, "alive" in between
 *   GET  /events      server-sent events: "state" first, then every observation under its kind
 *   GET  /sales       recent sales with their latencies
 *   GET  /health      200 while the daemon runs, with the state of every child process
 *   POST /wake        {"language"?: "ko" | "en"}: begins a sale; 409 when one is under way
 *   POST /turn        {"intent": Intent, "language"?, "seen"?: {saleId, totalMinor}}: a touch on the display; 409 when
 *                     what was seen is no longer so
 *   POST /present     somebody is reading the display
 *
 * Mistakes are answered 400 with what is wrong, too many touches 429, a body that is too long 413.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { z } from "zod";
import { Fault } from "../core/fault.ts";
import type { Intent } from "../core/intent.ts";
import type { Language } from "../core/menu.ts";
import type { View } from "../core/view.ts";
import type { Observation } from "../shell/observation.ts";
import { refusal } from "./guard.ts";
import { isStillSo, readJson, turnBody, wakeBody } from "./requests.ts";
import { menuCard, type Screen, type Shop, screenOf, toJson, WORDS_JSON } from "./screen.ts";
import { after, NOTHING_YET } from "./situation.ts";

export type DisplayPorts = {
  readonly shop: Shop;
  readonly state: () => View;
  readonly sales: () => unknown;
  readonly health: () => unknown;
  /** Returns the new sale's id, or null when a sale is under way. */
  readonly wake: (language: Language | undefined) => string | null;
  readonly touch: (intent: Intent, language: Language | undefined) => void;
  /** Somebody uses the display, though nothing was ordered. */
  readonly present: () => void;
  /** Calls back for every observation until the returned function is called. */
  readonly observe: (listener: (observation: Observation) => void) => () => void;
};

const MAXIMUM_BODY_BYTES = 16_384;
/** Displays that may listen at the same time. */
const MAXIMUM_LISTENERS = 16;
/** Observations one slow listener of /events may leave unread before it is let go. */
const MAXIMUM_UNREAD = 1_000;
/** Requests that change something, in a second; each becomes a journal entry. No finger is faster. */
const MAXIMUM_TOUCHES_A_SECOND = 20;
/** Shorter than the page's patience, so that a quiet link and a dead one can be told apart. */
const KEEP_ALIVE_MS = 4_000;
/** How soon a browser that lost the daemon asks again. */
const RECONNECT_MS = 500;

export class DisplayServer {
  readonly #ports: DisplayPorts;
  #server: Server | null = null;
  #listening = "";
  #listeners = 0;
  #situation = NOTHING_YET;
  #changed = new Set<() => void>();
  #unwatch: (() => void) | null = null;
  #touchSecond = 0;
  #touches = 0;

  constructor(ports: DisplayPorts) {
    this.#ports = ports;
  }

  /** Begins to follow the terminal, so that what happens before anyone connects is known. Called twice it does nothing. */
  watch(): void {
    this.#unwatch ??= this.#ports.observe((observation) => {
      const before = this.#situation;
      this.#situation = after(before, observation);
      if (this.#situation !== before || observation.kind === "link")
        for (const changed of this.#changed) changed();
    });
  }

  /** Resolves with the port that is listened on. Rejects with a Fault when the address cannot be had. */
  start(host: string, port: number): Promise<number> {
    this.watch();
    this.#listening = host;
    const app = this.#routes();
    return new Promise((resolve, reject) => {
      const server = serve({ fetch: app.fetch, hostname: host, port }, (info) =>
        resolve(info.port),
      ) as Server;
      server.on("error", (cause) => {
        const detail = `${host}:${port}: ${cause.message}; set display.host and display.port to an address that is free`;
        reject(new Fault("display.unavailable", detail, { cause }));
      });
      this.#server = server;
    });
  }

  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#unwatch = null;
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #routes(): Hono {
    const app = new Hono();
    const { ports, page, card, edition } = { ports: this.#ports, ...this.#printed() };
    app.use(bodyLimit({ maxSize: MAXIMUM_BODY_BYTES }));
    app.use(async (context, next) => {
      const { req } = context;
      const claims = { host: req.header("host"), origin: req.header("origin") };
      const refused = refusal({ ...claims, fetchSite: req.header("sec-fetch-site") }, this.#listening);
      if (refused !== null) return context.json({ error: refused }, 403);
      if (req.method === "POST" && this.#tooFast()) return context.json({ error: "too many touches" }, 429);
      await next();
      for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
      return;
    });
    const screen = (): Screen => screenOf(ports.state(), this.#situation, edition, performance.now());
    app.get("/", (context) => {
      context.header("content-security-policy", page.policy);
      return context.html(page.html);
    });
    app.get("/menu", (context) => context.body(card, 200, JSON_TYPE));
    app.get("/words", (context) => context.body(WORDS_JSON, 200, JSON_TYPE));
    app.get("/state", (context) => context.body(toJson(screen()), 200, JSON_TYPE));
    app.get("/sales", (context) => context.body(toJson(ports.sales()), 200, JSON_TYPE));
    app.get("/health", (context) => context.body(toJson(ports.health()), 200, JSON_TYPE));
    app.get("/screen", (context) => this.#stream(context, (stream) => this.#followScreen(stream, screen)));
    app.get("/events", (context) => this.#stream(context, (stream) => this.#followAll(stream, screen)));
    this.#touchRoutes(app);
    app.notFound((context) => context.json({ error: `there is no ${context.req.path} here` }, 404));
    return app;
  }

  #touchRoutes(app: Hono): void {
    const ports = this.#ports;
    app.post("/wake", async (context) => {
      const body = wakeBody.safeParse(await readJson(context.req.raw));
      if (!body.success) return context.json({ error: z.prettifyError(body.error) }, 400);
      const saleId = ports.wake(body.data.language);
      if (saleId === null) return context.json({ error: "a sale is under way" }, 409);
      return context.json({ saleId }, 201);
    });
    app.post("/turn", async (context) => {
      const body = turnBody.safeParse(await readJson(context.req.raw));
      if (!body.success) return context.json({ error: z.prettifyError(body.error) }, 400);
      const { intent, language, seen } = body.data;
      if (seen !== undefined && !isStillSo(ports.state(), seen))
        return context.json({ error: "the order has changed meanwhile" }, 409);
      ports.present();
      ports.touch(intent, language);
      return context.json({}, 202);
    });
    app.post("/present", (context) => {
      ports.present();
      return context.body(null, 204);
    });
  }

  /** What does not change while the daemon runs. */
  #printed(): { page: { html: string; policy: string }; card: string; edition: string } {
    const html = readFileSync(new URL("./page.html", import.meta.url), "utf8");
    const card = toJson(menuCard(this.#ports.shop));
    const edition = sha256(html + card + WORDS_JSON);
    return { page: { html, policy: policyFor(html) }, card, edition };
  }

  #tooFast(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#touchSecond) this.#touches = 0;
    this.#touchSecond = second;
    return ++this.#touches > MAXIMUM_TOUCHES_A_SECOND;
  }

  #stream(context: Context, follow: (stream: SSEStreamingApi) => Promise<void>): Response {
    if (this.#listeners >= MAXIMUM_LISTENERS) return context.json({ error: "too many displays" }, 503);
    this.#listeners++;
    return streamSSE(context, async (stream) => {
      try {
        await follow(stream);
      } finally {
        this.#listeners--;
      }
    });
  }

  /** The screen as it is, whenever it changed: a slow display skips what it missed, so nothing piles up. */
  async #followScreen(stream: SSEStreamingApi, screen: () => Screen): Promise<void> {
    let changed = true;
    const bell = new Bell();
    const listener = (): void => {
      changed = true;
      bell.ring();
    };
    this.#changed.add(listener);
    stream.onAbort(() => bell.ring());
    try {
      while (!stream.aborted) {
        if (changed) {
          changed = false;
          await stream.writeSSE({ event: "state", data: toJson(screen()), retry: RECONNECT_MS });
        } else if (!(await bell.wait(KEEP_ALIVE_MS))) await stream.writeSSE({ event: "alive", data: "" });
      }
    } finally {
      this.#changed.delete(listener);
    }
  }

  async #followAll(stream: SSEStreamingApi, screen: () => Screen): Promise<void> {
    const unread: Observation[] = [];
    const bell = new Bell();
    const stop = this.#ports.observe((observation) => {
      unread.push(observation);
      if (unread.length > MAXIMUM_UNREAD) stream.abort();
      bell.ring();
    });
    stream.onAbort(() => bell.ring());
    try {
      await stream.writeSSE({ event: "state", data: toJson(screen()) });
      while (!stream.aborted) {
        const next = unread.shift();
        if (next !== undefined) await stream.writeSSE({ event: next.kind, data: toJson(next) });
        else if (!(await bell.wait(KEEP_ALIVE_MS))) await stream.write(":\n\n");
      }
    } finally {
      stop();
    }
  }
}

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** The page may run its own script and style and nothing else, and talk to nobody but this server. */
function policyFor(html: string): string {
  const hashes = (tag: string): string =>
    [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g"))]
      .map(([, text]) => `'sha256-${sha256(text ?? "")}'`)
      .join(" ");
  return (
    `default-src 'none'; script-src ${hashes("script")}; style-src ${hashes("style")}; connect-src 'self'; ` +
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** One waits for it, others ring it; a ring that nobody waited for is not kept. */
class Bell {
  #rung: () => void = () => {};

  ring(): void {
    this.#rung();
  }

  /** Resolves true when it rings, false after the time. */
  wait(limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      this.#rung = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
