/**
 * The entry of a model's child process: opens the one unit that the daemon names ("hearing" or "speaking"), carries
 * commands in and events out. Microphone frames are accepted at once and worked on in order behind the answer.
 */
import { hostUnit } from "../daemon/shell/child-host.ts";
import type { HearingCommand, HearingEvent, SpeakingCommand, SpeakingEvent } from "./model.ts";
import { openUnit } from "./units.ts";

hostUnit<HearingCommand | SpeakingCommand, HearingEvent | SpeakingEvent>(
  (unit, settings, channel) => openUnit(unit, settings, (event) => channel.emit(event)),
  (detail) => ({ kind: "fault", code: "process.exited", detail }),
);
