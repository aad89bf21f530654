/**
 * The local server of a terminal: its state and captions for the customer display, wake and touch from it.
 *
 * It listens on loopback. Whoever can connect can order, but not pay: that takes a card. Requests from web pages of
 * another origin are refused, because any page in a browser on this machine can reach loopback.
 *
 *   GET  /            the customer display (a page)
 *   GET  /state       the present view as JSON
 *   GET  /events      server-sent events: view, caption, heard, spoke, tapped, printed, fault, alarm
 *   GET  /sales       recent sales with their latencies
 *   GET  /health      200 while the daemon runs, with the state of every child process
 *   POST /wake        {"language"?: "ko" | "en"}: begins a sale
 *   POST /turn        {"intent": Intent, "language"?}: a touch on the display
 */

import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import type { BasketEdit, Intent } from "../core/intent.ts";
import type { Language } from "../core/menu.ts";
import type { Observation } from "../shell/observation.ts";

export type DisplayPorts = {
  readonly state: () => unknown;
  readonly sales: () => unknown;
  readonly health: () => unknown;
  /** Returns the new sale's id, or null when a sale is under way. */
  readonly wake: (language: Language | undefined) => string | null;
  readonly touch: (intent: Intent, language: Language | undefined) => void;
  /** Calls back for every observation until the returned function is called. */
  readonly observe: (listener: (observation: Observation) => void) => () => void;
};

const MAXIMUM_BODY_BYTES = 16_384;
/** Displays that may listen at the same time. */
const MAXIMUM_LISTENERS = 16;
/** Observations one slow display may leave unread before it is let go. */
const MAXIMUM_UNREAD = 1_000;
const KEEP_ALIVE_MS = 15_000;

const language = z.enum(["ko", "en", "zh"]);
const quantity = z.number().int().min(1).max(1_000_000);
const options = z.record(z.string().max(40), z.string().max(40));
const itemId = z.string().max(40);
const edit: z.ZodType<BasketEdit> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("add"), itemId, quantity, options: options.default({}) }),
  z.strictObject({ kind: z.literal("remove"), itemId, quantity: quantity.exactOptional() }),
  z.strictObject({
    kind: z.literal("set-quantity"),
    itemId,
    quantity: z.number().int().min(0).max(1_000_000),
  }),
  z.strictObject({ kind: z.literal("set-options"), itemId, quantity: quantity.exactOptional(), options }),
]);
const intent: z.ZodType<Intent> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("edit"), edits: z.array(edit).min(1).max(20) }),
  z.strictObject({ kind: z.literal("ask-price"), itemId: itemId.exactOptional() }),
  ...(["confirm", "deny", "pay", "cancel", "repeat", "help", "staff"] as const).map((kind) =>
    z.strictObject({ kind: z.literal(kind) }),
  ),
]);
const wakeBody = z.strictObject({ language: language.optional() });
const turnBody = z.strictObject({ intent, language: language.optional() });

export class DisplayServer {
  readonly #ports: DisplayPorts;
  #server: Server | null = null;
  #listeners = 0;

  constructor(ports: DisplayPorts) {
    this.#ports = ports;
  }

  /** Resolves with the port that is listened on. Rejects when the address is in use. */
  start(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = serve({ fetch: this.#routes().fetch, hostname: host, port }, (info) =>
        resolve(info.port),
      ) as Server;
      server.on("error", reject);
      this.#server = server;
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #routes(): Hono {
    const app = new Hono();
    const ports = this.#ports;
    app.use(bodyLimit({ maxSize: MAXIMUM_BODY_BYTES }));
    app.use(async (context, next) => {
      const origin = context.req.header("origin");
      if (origin !== undefined && new URL(context.req.url).origin !== origin) {
        return context.json({ error: "requests from other origins are refused" }, 403);
      }
      return next();
    });
    app.get("/", async (context) =>
      context.html(await readFile(new URL("./page.html", import.meta.url), "utf8")),
    );
    app.get("/state", (context) => context.body(toJson(ports.state()), 200, JSON_TYPE));
    app.get("/sales", (context) => context.body(toJson(ports.sales()), 200, JSON_TYPE));
    app.get("/health", (context) => context.body(toJson(ports.health()), 200, JSON_TYPE));
    app.post("/wake", async (context) => {
      const body = wakeBody.safeParse(await readBody(context.req.raw));
      if (!body.success) return context.json({ error: z.prettifyError(body.error) }, 400);
      const saleId = ports.wake(body.data.language);
      if (saleId === null) return context.json({ error: "a sale is under way" }, 409);
      return context.json({ saleId }, 201);
    });
    app.post("/turn", async (context) => {
      const body = turnBody.safeParse(await readBody(context.req.raw));
      if (!body.success) return context.json({ error: z.prettifyError(body.error) }, 400);
      ports.touch(body.data.intent, body.data.language);
      return context.json({}, 202);
    });
    app.get("/events", (context) => {
      if (this.#listeners >= MAXIMUM_LISTENERS) return context.json({ error: "too many displays" }, 503);
      this.#listeners++;
      return streamSSE(context, async (stream) => {
        const unread: Observation[] = [];
        let wakeUp: () => void = () => {};
        const stop = ports.observe((observation) => {
          unread.push(observation);
          if (unread.length > MAXIMUM_UNREAD) stream.abort();
          wakeUp();
        });
        stream.onAbort(() => wakeUp());
        await stream.writeSSE({ event: "state", data: toJson(ports.state()) });
        while (!stream.aborted) {
          const next = unread.shift();
          if (next !== undefined) await stream.writeSSE({ event: next.kind, data: toJson(next) });
          else if (
            !(await within(KEEP_ALIVE_MS, (done) => {
              wakeUp = done;
            }))
          )
            await stream.write(":\n\n");
        }
        stop();
        this.#listeners--;
      });
    });
    return app;
  }
}

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

/** Amounts are bigint; JSON has none, so they travel as decimal strings. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "bigint" ? member.toString() : member,
  );
}

async function readBody(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Resolves true when `arm`'s callback is called, false after the time. */
function within(limitMs: number, arm: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limitMs);
    arm(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
