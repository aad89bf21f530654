/**
 * The bootstrap script on machines that lack one thing after another. The script is the real one, in a folder of its own;
 * node, npm, dpkg-query, apt-get, sudo and id are small programs that write down how they were called.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const SCRIPT = path.resolve(import.meta.dirname, "../../provisioning/bootstrap.sh");
const RUN_LIMIT_MS = 20_000;
/** What the script may use besides the programs that are played. */
const REAL_PROGRAMS =
  "bash cat chmod cut dirname env find flock grep mkdir mv rm sed sha256sum tail tar touch tr".split(" ");

let root: string;
let bin: string;

const at = (name: string): string => path.join(root, name);
const calls = (): string => (existsSync(at("calls")) ? readFileSync(at("calls"), "utf8") : "");

/** Puts a program into the machine that notes its call and then does `body`. */
function play(name: string, body: string): void {
  const file = path.join(bin, name);
  rmSync(file, { force: true });
  writeFileSync(file, `#!/bin/bash\necho "${name} $*" >>"${at("calls")}"\n${body}\n`);
  chmodSync(file, 0o755);
}

function bootstrap(...options: string[]): { code: number | null; said: string } {
  const { status, stderr, stdout } = spawnSync("bash", [at("provisioning/bootstrap.sh"), ...options], {
    encoding: "utf8",
    env: { PATH: bin },
    timeout: RUN_LIMIT_MS,
  });
  return { code: status, said: stdout + stderr };
}

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "saypay-bootstrap-"));
  bin = at("bin");
  for (const folder of [
    "bin",
    "provisioning",
    "daemon",
    "drivers",
    "models",
    "sync",
    "test",
    "prefix/include/node",
  ]) {
    mkdirSync(at(folder), { recursive: true });
  }
  copyFileSync(SCRIPT, at("provisioning/bootstrap.sh"));
  for (const file of [
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vitest.config.ts",
    "prefix/include/node/node_api.h",
  ]) {
    writeFileSync(at(file), "{}");
  }
  writeFileSync(at("provisioning/build.sh"), `echo build >>"${at("calls")}"\n`);
  for (const name of REAL_PROGRAMS) {
    const real = ["/usr/bin", "/bin"].map((folder) => path.join(folder, name)).find(existsSync);
    if (real === undefined) throw new Error(`this test needs ${name}`);
    symlinkSync(real, path.join(bin, name));
  }
  play("node", `echo "true 24.0.0 137 x64 ${at("prefix")}"`);
  play("npm", `case "$1" in --version) echo 11.0.0 ;; ci) mkdir -p "${at("node_modules")}" ;; esac`);
  // All that is asked for is installed: the words after the format.
  play("dpkg-query", 'shift 3; for package in "$@"; do echo "ii $package"; done');
  play("id", "echo 0");
  play("apt-get", "");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("bootstrap", () => {
  test("does everything once, and nothing the second time", () => {
    expect(bootstrap("--test")).toMatchObject({ code: 0 });
    expect(calls()).toMatch(/npm ci [\s\S]*build/);
    rmSync(at("calls"));
    expect(bootstrap("--test")).toEqual({ code: 0, said: "" });
    expect(calls()).not.toMatch(/^(npm|apt-get|build$)/m);
  });

  test("does not know every option", () => {
    expect(bootstrap("--fast")).toEqual({ code: 2, said: "bootstrap: unknown option --fast; see --help\n" });
  });

  test.each([
    ["there is none", () => rmSync(path.join(bin, "node")), /there is no node\. Node\.js 20\.19 or later/],
    [
      "it is old",
      () => play("node", "echo false 18.20.8 108 x64 /usr"),
      /this is Node\.js 18\.20\.8 .*20\.19 or later/,
    ],
    ["it does not run", () => play("node", "exit 127"), /node does not run/],
  ])("says which Node is needed when %s", (_, change, message) => {
    change();
    const { code, said } = bootstrap("--run");
    expect(code).toBe(1);
    expect(said).toMatch(message);
    expect(calls()).not.toMatch(/npm|apt-get|build/);
  });

  test("installs what dpkg has never heard of, and what it has removed, as on a fresh machine", () => {
    play("dpkg-query", 'echo "rc sox"; exit 1');
    expect(bootstrap("--test")).toMatchObject({ code: 0 });
    expect(calls()).toMatch(
      /apt-get .*update\n(?:.*\n)?apt-get .*install -y --no-install-recommends .*pcscd.* sox/,
    );
  });

  test("asks sudo only where it is not root, and names the line for an administrator where there is no sudo", () => {
    play("dpkg-query", "exit 1");
    play("id", "echo 1000");
    const refused = bootstrap("--run");
    expect(refused.code).toBe(1);
    expect(refused.said).toMatch(
      /as root: apt-get update && apt-get install --no-install-recommends build-essential /,
    );
    expect(calls()).not.toMatch(/apt-get /);
    play("sudo", '"$@"');
    expect(bootstrap("--run")).toMatchObject({ code: 0 });
    expect(calls()).toMatch(/sudo env DEBIAN_FRONTEND=noninteractive apt-get .*install/);
  });

  test("goes on when one of apt's sources fails, and shows the end of the log when the install fails", () => {
    play("dpkg-query", "exit 1");
    play("apt-get", 'case "$*" in *update*) exit 100 ;; esac');
    expect(bootstrap("--run")).toMatchObject({ code: 0 });
    play("apt-get", 'echo "E: no space"; exit 100');
    const { code, said } = bootstrap("--run");
    expect(code).toBe(1);
    expect(said).toMatch(/E: no space[\s\S]*could not be installed/);
  });

  test("installs again after an npm ci that failed or was killed half way", () => {
    expect(bootstrap("--run")).toMatchObject({ code: 0 });
    writeFileSync(at("package-lock.json"), '{"changed":true}');
    play(
      "npm",
      'case "$1" in --version) echo 12.0.0 ;; ci) kill -9 $$ ;; config) echo https://registry.test/ ;; esac',
    );
    const killed = bootstrap("--run");
    expect(killed.code).toBe(1);
    expect(killed.said).toMatch(
      /npm ci failed; the whole log is in .*The registry is https:\/\/registry\.test\//,
    );
    writeFileSync(at("package-lock.json"), "{}");
    play("npm", 'case "$1" in --version) echo 12.0.0 ;; esac');
    expect(bootstrap("--run")).toMatchObject({ code: 0 });
    expect(calls()).toMatch(/(npm ci [\s\S]*){3}/);
  });

  test.each([
    ["10.9.9", "npm_config_nodedir"],
    ["11.21.2", "npm_package_config_node_gyp_nodedir"],
  ])("tells node-gyp where the headers are in the words of npm %s", (version, name) => {
    play(
      "npm",
      `case "$1" in --version) echo ${version} ;; ci) mkdir -p "${at("node_modules")}"; env >"${at("environment")}" ;; esac`,
    );
    expect(bootstrap("--run")).toMatchObject({ code: 0 });
    const environment = readFileSync(at("environment"), "utf8");
    expect(environment).toContain(`${name}=${at("prefix")}\n`);
    expect(environment).toContain("ONNXRUNTIME_NODE_INSTALL=skip\n");
    expect(environment.match(/nodedir=/g)).toHaveLength(1);
  });

  test("compiles again when a source changed or is gone", async () => {
    writeFileSync(at("daemon/gone.ts"), "");
    expect(bootstrap("--run")).toMatchObject({ code: 0 });
    // File times have the grain of the kernel's clock, 4 to 10 ms, and this compiler is faster than any other.
    await new Promise((resolve) => setTimeout(resolve, 50));
    rmSync(at("daemon/gone.ts"));
    expect(bootstrap("--run").said).toContain("compiling");
    expect(bootstrap("--run").said).toBe("");
    writeFileSync(at("provisioning/build.sh"), "exit 1\n");
    expect(bootstrap("--run")).toMatchObject({ code: 1 });
    expect(bootstrap("--run").said).toContain("do not compile");
  });
});
