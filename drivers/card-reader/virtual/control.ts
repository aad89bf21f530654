/**
 * The hand that lays virtual cards on the virtual reader: a small HTTP server on the loopback interface. Requests and
 * answers are JSON; a request that cannot be carried out is answered with 400 and `{error}`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Deck } from "./deck.ts";
import type { Field } from "./field.ts";

const BODY_LIMIT_BYTES = 4_096;
const HOLD_LIMIT_MS = 600_000;

const slotRequest = z.strictObject({ slot: z.number().int().min(0).default(0) });
const tapRequest = z.strictObject({
  slot: z.number().int().min(0).default(0),
  card: z.string().default("genuine"),
  /** Takes the card away again after this long; without it the card stays until /remove. */
  holdMs: z.number().int().min(1).max(HOLD_LIMIT_MS).optional(),
});

export async function serveControl(
  port: number,
  deck: Deck,
  fields: readonly Field[],
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    handle(request, deck, fields).then(
      (body) => send(response, 200, body),
      (error: unknown) =>
        send(response, 400, { error: error instanceof Error ? error.message : String(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function handle(request: IncomingMessage, deck: Deck, fields: readonly Field[]): Promise<unknown> {
  const route = `${request.method} ${request.url}`;
  const status = () => ({
    slots: fields.map((field) => ({ ...field.status(), counter: counterOf(field, deck) })),
  });
  if (route === "GET /status") return status();
  const body = await readJson(request);
  if (route === "POST /tap") {
    await tap(tapRequest.parse(body), deck, fields);
    return status();
  }
  const field = fieldAt(fields, slotRequest.parse(body).slot);
  if (route === "POST /remove") field.remove();
  else if (route === "POST /hang") field.hang();
  else if (route === "POST /tear") field.tear();
  else throw new Error("there are GET /status and POST /tap, /remove, /hang, /tear");
  return status();
}

async function tap(wanted: z.infer<typeof tapRequest>, deck: Deck, fields: readonly Field[]): Promise<void> {
  const field = fieldAt(fields, wanted.slot);
  const card = deck.card(wanted.card);
  if (card === null)
    throw new Error(`no card "${wanted.card}": genuine, genuine-NAME, forged, wrong, replay`);
  await field.insert(wanted.card, card);
  if (wanted.holdMs === undefined) return;
  const { tappedAtMs } = field.status();
  setTimeout(() => {
    if (field.status().tappedAtMs === tappedAtMs) field.remove();
  }, wanted.holdMs).unref();
}

function fieldAt(fields: readonly Field[], slot: number): Field {
  const field = fields[slot];
  if (field === undefined) throw new Error(`there are ${fields.length} slots, counted from 0`);
  return field;
}

function counterOf(field: Field, deck: Deck): number | null {
  const { card } = field.status();
  return card === null ? null : deck.counter(card);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_LIMIT_BYTES) throw new Error("the request is too long");
  }
  return text === "" ? {} : (JSON.parse(text) as unknown);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
