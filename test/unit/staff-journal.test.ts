/** `saypay journal`: what it refuses to look at or to continue, with a way out, before it has touched anything. */
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Complaint, EXIT } from "../../daemon/command-line/exit-status.ts";
import { adopt, verifyJournal } from "../../daemon/command-line/journal.ts";
import { JOURNAL_FILE } from "../../daemon/journal-keeper.ts";

const SOMEBODY = 65_534;

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "saypay-staff-journal-"));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(data, { recursive: true, force: true });
});

const place = (): Parameters<typeof verifyJournal>[0] => ({
  data,
  socket: join(data, "staff.sock"),
  terminal: "counter-1",
});

/** Root, where the folder is somebody else's: as `sudo saypay` finds it. */
function asRootInAnothersFolder(): void {
  if (process.getuid?.() === 0) chownSync(data, SOMEBODY, SOMEBODY);
  else vi.spyOn(process, "getuid").mockReturnValue(0);
}

function complaintOf(work: () => unknown): Complaint {
  try {
    work();
  } catch (cause) {
    if (cause instanceof Complaint) return cause;
    throw cause;
  }
  throw new Error("nothing was complained of");
}

describe("verify", () => {
  it("does not call an empty journal whole, and leaves it empty", () => {
    const path = join(data, JOURNAL_FILE);
    writeFileSync(path, "");
    const { status, message } = complaintOf(() => verifyJournal(place()));
    expect(status).toBe(EXIT.damaged);
    expect(message).toMatch(/has no bytes.*saypay journal adopt --predecessor ID/);
    expect(statSync(path).size).toBe(0);
    expect(readdirSync(data)).toEqual([JOURNAL_FILE]);
  });

  it("makes no journal where there is none", () => {
    expect(complaintOf(() => verifyJournal(place()))).toMatchObject({ status: EXIT.unclear });
    expect(readdirSync(data)).toEqual([]);
  });

  it("as root leaves another user's journal alone, because that user could not open what root writes", () => {
    writeFileSync(join(data, JOURNAL_FILE), "");
    asRootInAnothersFolder();
    const { status, message } = complaintOf(() => verifyJournal(place()));
    expect(status).toBe(EXIT.noRight);
    expect(message).toContain("sudo -u");
    expect(readdirSync(data)).toEqual([JOURNAL_FILE]);
  });

  it("of a folder that this user may not enter is a missing right, and no missing journal", () => {
    // By hand, because root may enter any folder.
    const refusal = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
    vi.spyOn(process, "getuid").mockImplementation(() => {
      throw refusal;
    });
    expect(complaintOf(() => verifyJournal(place()))).toMatchObject({
      status: EXIT.noRight,
      message: expect.stringContaining("sudo -u USER saypay"),
    });
  });
});

describe("adopt", () => {
  it.each(["nonsense", "", "BFE5628AF55EE49C36C57845E83FD514", "bfe5628af55ee49c36c57845e83fd51"])(
    "takes no predecessor %j, before it reads anything",
    (predecessor) => {
      const { status, message } = complaintOf(() => adopt(join(data, "saypay.yaml"), predecessor));
      expect(status).toBe(EXIT.usage);
      expect(message).toContain("no journal's id");
    },
  );
});
