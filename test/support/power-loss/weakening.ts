/** SQLite's weaker settings of `synchronous`, behind the back of whoever asks for FULL and is told that it has it. */
import Database from "better-sqlite3";

export function weaken(how: "normal" | "off"): void {
  const { pragma } = Database.prototype;
  Database.prototype.pragma = function (
    this: Database.Database,
    source: string,
    options?: Database.PragmaOptions,
  ) {
    if (source === "synchronous = FULL") return pragma.call(this, `synchronous = ${how}`, options);
    if (source !== "synchronous") return pragma.call(this, source, options);
    return options?.simple === true ? 2 : [{ synchronous: 2 }];
  };
}
