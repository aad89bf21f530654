/** Every driver's settings schema by its id, so that the settings file is checked before any driver is opened. */
import { pcscSettings } from "./card-reader/settings.ts";
import { microphoneSettings } from "./microphone/settings.ts";
import { escposSettings } from "./printer/settings.ts";
import { speakerSettings } from "./speaker/settings.ts";

export const DRIVER_SETTINGS = {
  "microphone/alsa": microphoneSettings,
  "speaker/alsa": speakerSettings,
  "card-reader/pcsc": pcscSettings,
  "printer/escpos": escposSettings,
} as const;
