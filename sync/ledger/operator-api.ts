/**
 * What an operator may change at the ledger, over HTTP and JSON:
 *   GET    /v1/terminals                     terminals that greeted, each with its journal
 *   POST   /v1/terminals/TERMINAL/journal    {journalId}                       lets a journal in that continues no other
 *   GET    /v1/denied-cards                  the deny list
 *   POST   /v1/denied-cards                  {terminal, key, reason, by}       denies the card that made a charge
 *                                            {token, reason, by}               denies a card by its token
 *   DELETE /v1/denied-cards/CARD?by=NAME     takes a card off the list
 *
 * `card` in the answers is the card's hash in the deny list; card numbers occur nowhere.
 */
import { Hono } from "hono";
import { z } from "zod";
import { isTerminalId, MAX_DENIED_CARDS, MAX_ID_BYTES, MAX_TEXT_BYTES } from "../wire.ts";
import type { DenyAnswer, DenyDesk } from "./deny-desk.ts";
import type { LedgerStorage } from "./storage.ts";

const note = z.string().trim().min(1).max(200);
const id = z.string().min(1).max(MAX_ID_BYTES);
const why = { reason: note, by: note };

const DENY = z.union(
  [
    z.strictObject({ terminal: id, key: id, ...why }),
    z.strictObject({ token: z.string().min(1).max(MAX_TEXT_BYTES), ...why }),
  ],
  "give {terminal, key, reason, by} of a charge, or {token, reason, by}",
);
const EXPECT = z.strictObject({ journalId: id });

export function terminalsApi(
  storage: Pick<LedgerStorage, "terminals" | "expectJournal">,
  limit: number,
): Hono {
  const app = new Hono();
  app.get("/", async (context) => context.json({ terminals: await storage.terminals(limit) }));
  app.post("/:terminal/journal", async (context) => {
    const terminal = context.req.param("terminal");
    const body = await bodyOf(context.req.raw, EXPECT);
    if ("error" in body) return context.json({ error: body.error }, body.status);
    const { journalId } = body.value;
    if (!isTerminalId(terminal) || !(await storage.expectJournal(terminal, journalId))) {
      return context.json({ error: `no terminal ${terminal} has greeted; see /v1/terminals` }, 404);
    }
    return context.json({ terminal, expected: journalId });
  });
  return app;
}

export function deniedCardsApi(deny: DenyDesk): Hono {
  const app = new Hono();
  app.get("/", async (context) => {
    const cards = await deny.cards();
    const { version, set } = deny.list;
    return context.json({ version, count: cards.length, setBytes: set.length, cards });
  });
  app.post("/", async (context) => {
    const body = await bodyOf(context.req.raw, DENY);
    if ("error" in body) return context.json({ error: body.error }, body.status);
    const { reason, by, ...named } = body.value;
    const answer =
      "token" in named
        ? await deny.denyToken(named.token, { reason, by })
        : await deny.denyCharge(named.terminal, named.key, { reason, by });
    if (answer.kind !== "changed") return context.json({ error: refusalText(answer) }, 409);
    return context.json({ card: answer.card, version: answer.version }, 201);
  });
  app.delete("/:card", async (context) => {
    const by = note.safeParse(context.req.query("by"));
    if (!by.success) return context.json({ error: "say who takes the card off the list: ?by=NAME" }, 400);
    const answer = await deny.allow(context.req.param("card"), by.data);
    if (answer.kind !== "changed") return context.json({ error: refusalText(answer) }, 404);
    return context.json({ card: answer.card, version: answer.version });
  });
  return app;
}

function refusalText(answer: Exclude<DenyAnswer, { kind: "changed" }>): string {
  switch (answer.kind) {
    case "no-such-charge":
      return "no charge has this terminal and key; see /v1/statement";
    case "card-not-kept":
      return "the charge is older than the register of cards: name a later charge of the card, or its token";
    case "not-denied":
      return "the card is not on the list; see /v1/denied-cards";
    case "full":
      return `the list holds ${MAX_DENIED_CARDS} cards and no more fit; take cards off that need not be on it`;
  }
}

type Body<Value> = { readonly value: Value } | { readonly error: string; readonly status: 400 | 415 };

/** Demands JSON, which keeps pages of other origins in a browser from sending a form here. */
async function bodyOf<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<Body<z.output<Schema>>> {
  if (request.headers.get("content-type")?.startsWith("application/json") !== true) {
    return { error: "send JSON with content-type: application/json", status: 415 };
  }
  const body: unknown = await request.json().catch(() => undefined);
  const read = schema.safeParse(body);
  if (read.success) return { value: read.data };
  const mistakes = read.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`,
  );
  return { error: mistakes.join("; "), status: 400 };
}
