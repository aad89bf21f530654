/**
 * What hands do to a printer, over HTTP on the loopback interface: POST /paper-out, /cover-open, /offline (each with an
 * optional JSON body {"afterLines": n}) and /ok; GET /status.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Machine, MachineProblem, MachineStatus } from "./machine.ts";

const MAX_BODY_BYTES = 1_024;
const PROBLEMS: readonly MachineProblem[] = ["paper-out", "cover-open", "offline"];

const failure = z.object({ afterLines: z.number().int().min(0).max(10_000).default(0) }).strict();

export type Control = { readonly port: number; close(): Promise<void> };

/** `pieces` counts the pictures of paper written so far. Port 0 takes a free one. */
export async function openControl(machine: Machine, port: number, pieces: () => number): Promise<Control> {
  const report = (): MachineStatus & { pieces: number } => ({ ...machine.status, pieces: pieces() });
  const server = createServer((request, response) => {
    void handle(request, response, machine, report);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return { port: address.port, close: () => closeServer(server) };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  machine: Machine,
  report: () => object,
): Promise<void> {
  const reply = (code: number, body: object): void => {
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const name = (request.url ?? "").slice(1);
  if (request.method === "GET" && name === "status") return reply(200, report());
  if (request.method !== "POST") return reply(405, { error: "POST, or GET /status" });
  if (name === "ok") {
    machine.repair();
    return reply(200, report());
  }
  const problem = PROBLEMS.find((candidate) => candidate === name);
  if (problem === undefined) return reply(404, { error: "paper-out, cover-open, offline or ok" });
  const parsed = failure.safeParse(await readJson(request));
  if (!parsed.success) return reply(400, { error: 'the body is {"afterLines": 0 to 10000} or empty' });
  machine.fail(problem, parsed.data.afterLines);
  return reply(200, report());
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAX_BODY_BYTES) return undefined;
  }
  if (body === "") return {};
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
