/**
 * The books over HTTP, for reading: JSON, amounts as decimal strings of minor units. What an operator may change is in
 * operator-api.ts; the sandbox gateway brings its controls. A caller shows the token when one is set. POST demands a JSON
 * body and without a token the Host must be this machine, which keeps pages of other origins in a browser from reaching
 * it unasked.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { DenyDesk } from "./deny-desk.ts";
import { sandboxControl } from "./gateways/sandbox/control.ts";
import type { SandboxGateway } from "./gateways/sandbox/sandbox.ts";
import { listenOn } from "./listening.ts";
import { deniedCardsApi, terminalsApi } from "./operator-api.ts";
import type { LedgerStorage, Statement } from "./storage.ts";

/** Transactions in one answer at most. */
export const MAX_TRANSACTIONS = 10_000;
export const MAX_ALARMS = 1_000;
export const MAX_TERMINALS = 100_000;
/** Far more than any body that is taken here. */
export const MAX_BODY_BYTES = 16_384;

export type HttpParts = {
  readonly storage: LedgerStorage;
  readonly deny: DenyDesk;
  readonly token: string | undefined;
  readonly sandbox: SandboxGateway | undefined;
  readonly health: () => { readonly broker: boolean; readonly uptimeMs: number };
};

export function ledgerApi(parts: HttpParts): Hono {
  const { storage, token, sandbox, health } = parts;
  const app = new Hono();
  app.get("/health", (context) => {
    const { broker, uptimeMs } = health();
    return context.json({ ok: broker, broker, uptimeMs }, broker ? 200 : 503);
  });
  if (token !== undefined) {
    app.use("*", async (context, next) => {
      if (!sameText(context.req.header("authorization") ?? "", `Bearer ${token}`)) {
        return context.json(
          { error: "send the token of the settings file as Authorization: Bearer TOKEN" },
          401,
        );
      }
      return next();
    });
  }
  if (token === undefined) {
    app.use("*", async (context, next) => {
      if (!isLoopbackHost(context.req.header("host"))) {
        return context.json({ error: "ask for 127.0.0.1 or localhost, or set a token (http.token)" }, 403);
      }
      return next();
    });
  }
  const onError = (context: Context) => context.json({ error: `send at most ${MAX_BODY_BYTES} bytes` }, 413);
  app.use("*", bodyLimit({ maxSize: MAX_BODY_BYTES, onError }));
  app.get("/v1/statement", async (context) => {
    const terminal = context.req.query("terminal");
    const filter = terminal === undefined ? {} : { terminal };
    return context.json(statementJson(await storage.statement({ ...filter, limit: MAX_TRANSACTIONS })));
  });
  app.get("/v1/transactions/:key{.+}", async (context) => {
    const key = context.req.param("key");
    const terminal = context.req.query("terminal");
    const filter = terminal === undefined ? { key } : { key, terminal };
    const found = await storage.transactions({ ...filter, limit: MAX_TRANSACTIONS });
    const transactions = transactionsJson(found.transactions);
    if (transactions.length === 0) return context.json({ error: `no transaction has the key ${key}` }, 404);
    return context.json({ transactions });
  });
  app.get("/v1/alarms", async (context) => context.json({ alarms: await storage.alarms(MAX_ALARMS) }));
  app.route("/v1/terminals", terminalsApi(storage, MAX_TERMINALS));
  app.route("/v1/denied-cards", deniedCardsApi(parts.deny));
  if (sandbox !== undefined) app.route("/sandbox", sandboxControl(sandbox));
  app.notFound((context) =>
    context.json(
      { error: "not here; try /v1/statement, /v1/alarms, /v1/terminals, /v1/denied-cards or /health" },
      404,
    ),
  );
  return app;
}

/** A name that another origin makes point here (DNS rebinding) is not one of these. */
function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
}

/** Compares by hash, so that neither length nor content shows in the time it takes. */
function sameText(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function transactionsJson(transactions: Statement["transactions"]) {
  return transactions.map(({ amount, refundedMinor, refunds, ...transaction }) => ({
    ...transaction,
    amountMinor: amount.minor.toString(),
    currency: amount.currency,
    refundedMinor: refundedMinor.toString(),
    refunds: refunds.map(({ minor, ...refund }) => ({ ...refund, amountMinor: minor.toString() })),
  }));
}

function statementJson(statement: Statement) {
  return {
    balanced: statement.balanced,
    truncated: statement.truncated,
    transactions: transactionsJson(statement.transactions),
    totals: statement.totals.map(({ minor, ...total }) => ({ ...total, amountMinor: minor.toString() })),
    refundTotals: statement.refundTotals.map(({ minor, ...total }) => ({
      ...total,
      amountMinor: minor.toString(),
    })),
    accounts: statement.accounts.map(({ debit, credit, ...account }) => ({
      ...account,
      debitMinor: debit.toString(),
      creditMinor: credit.toString(),
      balanceMinor: (debit - credit).toString(),
    })),
  };
}

export class HttpServer {
  readonly #app: Hono;
  #server: Server | undefined;

  constructor(app: Hono) {
    this.#app = app;
  }

  /** Gives the port. */
  async listen(host: string, port: number): Promise<number> {
    const answer = getRequestListener(this.#app.fetch);
    const server = createServer((request, response) => {
      // A caller that went away is its own trouble; faults inside are answered by the app.
      answer(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    return listenOn(server, host, port, "http.port");
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}
