/**
 * The command line for ALSA's arecord, as a recorder of node-record-lpcm16 (which loads recorders as CommonJS files).
 *
 * The package's own "arecord" gives no period, and arecord then takes an eighth of a second: a frame would wait 62 ms on
 * average for the frames after it (measured: chunks of 4,000 bytes each 125 ms). 20 ms periods deliver each frame when it is
 * complete, and the buffer rides out 200 ms in which nobody reads.
 */
type Options = {
  readonly sampleRate: number;
  readonly channels: number;
  readonly audioType: string;
  readonly device: string;
};

const PERIOD_US = 20_000;
const BUFFER_US = 200_000;

module.exports = (options: Options) => ({
  cmd: "arecord",
  args: [
    "--quiet",
    `--device=${options.device}`,
    `--rate=${options.sampleRate}`,
    `--channels=${options.channels}`,
    `--file-type=${options.audioType}`,
    "--format=S16_LE",
    `--period-time=${PERIOD_US}`,
    `--buffer-time=${BUFFER_US}`,
  ],
});
