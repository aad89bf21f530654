/**
 * Loaded with `--import` before every Node process of a terminal (NODE_OPTIONS): the four processes of the voice are
 * replaced, at their process boundary, by a mute that opens at once, says every sentence in no time and hears nothing.
 * The daemon's own process, the card reader's and the printer's run unchanged.
 *
 * Why: sound and models take most of a terminal's start and touch no money. A test that starts terminals a thousand
 * times sells by touch and leaves the voice to the tests that are about it.
 */
import type { ChildReport, ChildRequest } from "../../daemon/core/child-protocol.ts";
import { HEARTBEAT_INTERVAL_MS } from "../../daemon/core/child-protocol.ts";
import type { SpeakerCommand, SpeakerEvent } from "../../drivers/driver.ts";
import type { SpeakingCommand, SpeakingEvent } from "../../models/model.ts";

const HOSTS = ["/drivers/host.js", "/models/host.js"];
const VOICE = ["microphone/alsa", "speaker/alsa", "hearing", "speaking"];
const SAMPLE_RATE = 22_050;

type Command = SpeakerCommand | SpeakingCommand | { readonly kind: string };
type Report = ChildReport<SpeakerEvent | SpeakingEvent>;

const isHost = process.send !== undefined && HOSTS.some((host) => process.argv[1]?.endsWith(host) === true);
if (isHost) {
  const first = await new Promise<ChildRequest<Command>>((resolve) => process.once("message", resolve));
  if (first.kind === "open" && VOICE.includes(first.unit)) {
    beMute();
    // The real host never loads.
    await new Promise(() => undefined);
  }
  // The real host hears the first message as soon as it listens.
  process.on("newListener", function again(name: string | symbol): void {
    if (name !== "message") return;
    process.off("newListener", again);
    process.nextTick(() => process.emit("message", first, undefined));
  });
}

function beMute(): void {
  const report = (what: Report): void => void process.send?.(what);
  process.on("message", (request: ChildRequest<Command>) => {
    if (request.kind === "close") process.exit(0);
    if (request.kind !== "command") return;
    report({ kind: "done", serial: request.serial });
    const event = eventAfter(request.command);
    if (event !== null) report({ kind: "event", event });
  });
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => undefined);
  setInterval(() => report({ kind: "heartbeat" }), HEARTBEAT_INTERVAL_MS);
  report({ kind: "opened" });
}

function eventAfter(command: Command): SpeakerEvent | SpeakingEvent | null {
  if (command.kind === "say" && "prompt" in command) {
    const pcm = new Int16Array(1);
    const { id } = command;
    return { kind: "speech", id, text: "", pcm, sampleRate: SAMPLE_RATE, synthesisMs: 0, cached: true };
  }
  if (command.kind === "play" && "pcm" in command)
    return { kind: "finished", id: command.id, outcome: "played" };
  return null;
}
