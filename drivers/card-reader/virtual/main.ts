/**
 * A virtual NTAG 424 DNA for pcscd's virtual reader (vpcd): everything above the operating system is then the code of a
 * real sale. Prints one JSON line when it is ready and ends on SIGTERM.
 *
 *   node dist/drivers/card-reader/virtual/main.js --port 35963 --key-file keys.json --state cards.json
 */
import { parseArgs } from "node:util";
import { loadCardKeys } from "../keys.ts";
import { DEFAULT_SYSTEM_IDENTIFIER } from "../settings.ts";
import { serveControl } from "./control.ts";
import { Deck } from "./deck.ts";
import { Field } from "./field.ts";

const USAGE = `usage: main.js --key-file FILE --state FILE [--port 35963] [--control-port 0]
              [--system-identifier TEXT] [--url URL]
  --port               vpcd's port for slot 0; slot 1 is the next one
  --control-port       HTTP on the loopback interface; 0 takes a free port and prints it
  --key-file           the shop's card keys, as the card reader's settings have them
  --state              where the cards keep their counters
  --url                with {picc} and {mac} where the card mirrors its data`;

const DEFAULT_URL = "https://card.saypay.example/t?e={picc}&c={mac}";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "35963" },
      "control-port": { type: "string", default: "0" },
      "key-file": { type: "string" },
      state: { type: "string" },
      "system-identifier": { type: "string", default: DEFAULT_SYSTEM_IDENTIFIER },
      url: { type: "string", default: DEFAULT_URL },
    },
  });
  const keyFile = values["key-file"];
  if (keyFile === undefined || values.state === undefined) throw new Error(USAGE);
  const port = portNumber(values.port);
  const fields = [new Field(port), new Field(port + 1)];
  const systemIdentifier = Buffer.from(values["system-identifier"], "ascii");
  const deck = new Deck({
    keys: loadCardKeys({ keyFile }),
    systemIdentifier,
    url: values.url,
    stateFile: values.state,
  });
  const control = await serveControl(portNumber(values["control-port"]), deck, fields);
  const end = (): void => {
    for (const field of fields) field.remove();
    control.server.close();
    control.server.closeAllConnections();
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  process.stdout.write(
    `${JSON.stringify({ kind: "ready", controlPort: control.port, ports: [port, port + 1] })}\n`,
  );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`not a port: ${text}\n${USAGE}`);
  return port;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
