/** Opens a server's port, and reads the files that it needs, with faults that say what to change in the settings. */
import { readFileSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { Fault } from "../../daemon/core/fault.ts";

/** Gives the port that is really open. Throws Fault "settings.invalid"; `setting` names the place in the file. */
export async function listenOn(server: Server, host: string, port: number, setting: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => {
      const why =
        cause.code === "EADDRINUSE" ? "is in use by another program" : `cannot be opened (${cause.message})`;
      reject(
        new Fault("settings.invalid", `${setting}: ${host} port ${port} ${why}; choose another`, { cause }),
      );
    };
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** The same for a Unix socket, whose path may have 107 bytes (unix(7)). */
export async function listenOnPath(server: Server, path: string, setting: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => {
      const why = `${path} cannot be opened as a socket (${cause.message}); choose a shorter path or another folder`;
      reject(new Fault("settings.invalid", `${setting}: ${why}`, { cause }));
    };
    server.once("error", refuse);
    server.listen(path, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

/** Throws Fault "settings.invalid" for a file that cannot be read. */
export function readSettingFile(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("settings.invalid", `${setting}: ${why}`, { cause });
  }
}
