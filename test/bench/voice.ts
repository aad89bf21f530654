/**
 * How long a customer waits for an answer: from the end of speech to the start of the reply, over real sound devices of
 * software, split into stages. Two clocks: the daemon's own stages, and the two recordings (what the microphone heard,
 * what the speaker played), which know nothing of the daemon.
 */
import type { TurnLatency } from "../../daemon/shell/latency.ts";
import { Counter } from "../support/counter.ts";
import { speak } from "../support/customer.ts";
import type { Sound } from "../support/wav.ts";
import { type Spread, spread, table } from "./figures.ts";
import { endWhenInterrupted } from "./interruption.ts";
import type { BenchOptions } from "./main.ts";

export const summary = "end of speech to start of reply, by stage, over spoken orders";

const WISHES: readonly (readonly [wish: string, counter: string])[] = [
  ["아메리카노", "잔"],
  ["아이스 아메리카노", "잔"],
  ["치즈케이크 하나랑 카페라떼", "잔"],
  ["바닐라라떼 라지로", "잔"],
  ["소금빵", "개"],
  ["녹차 한 잔하고 크루아상", "개"],
  ["오렌지주스", "잔"],
  ["따뜻한 유자차", "잔"],
  ["생수", "병"],
  ["카페모카 두 잔이랑 쿠키", "개"],
];
/** Fifty orders, each with a reply of its own: what was said before would come from the cache. */
const ORDERS = ["한", "두", "세", "네", "다섯"].flatMap((number) =>
  WISHES.map(([wish, counter]) => `${wish} ${number} ${counter} 주세요`),
);

const ANSWER_LIMIT_MS = 10_000;
/** Long enough for the first sound of the reply to be in the recording. */
const REPLY_HEARD_MS = 300;

type Sample = TurnLatency & { readonly acousticMs: number | null };

export async function voice(options: BenchOptions): Promise<void> {
  const orders = Number(options["orders"] ?? 50);
  if (!Number.isInteger(orders) || orders < 1) throw new Error("--orders is a whole number from 1");
  const counter = new Counter();
  endWhenInterrupted(counter);
  const samples: Sample[] = [];
  let missed = 0;
  try {
    await counter.start();
    const sounds = await Promise.all(ORDERS.map((text) => speak(text, "ko")));
    for (let n = 0; n < orders; n++) {
      const words = sounds[n % sounds.length];
      if (words === undefined) break;
      const sample = await measure(counter, words);
      if (sample === null) missed++;
      else samples.push(sample);
      if (process.stderr.isTTY) process.stderr.write(`\r${n + 1} of ${orders}`);
    }
    if (process.stderr.isTTY) process.stderr.write("\r");
  } finally {
    await counter.stop();
  }
  if (samples.length === 0) throw new Error("the terminal understood none of the orders");
  report(samples, missed, options.json);
}

/** One order, cancelled by touch as soon as the reply has begun. Null when it was not understood. */
async function measure(counter: Counter, words: Sound): Promise<Sample | null> {
  const { watcher } = counter;
  const mark = watcher.mark;
  await counter.wake();
  await watcher.next("listening", mark);
  const microphone = counter.sound.recordMicrophone();
  const speaker = counter.sound.recordSpeaker();
  const listening = watcher.mark;
  await counter.sound.say(words);
  const heard = await watcher.next("heard", listening, ANSWER_LIMIT_MS).catch(() => null);
  if (heard !== null) await watcher.next("spoke", watcher.seen.indexOf(heard), ANSWER_LIMIT_MS);
  await new Promise((resolve) => setTimeout(resolve, REPLY_HEARD_MS));
  microphone.stop();
  speaker.stop();
  await watcher.post("/turn", { intent: { kind: "cancel" } });
  const { latency } = await watcher.next("closed", mark);
  const turn = latency?.turns[0];
  if (heard?.intent == null || turn === undefined) return null;
  const endOfSpeech = microphone.stretches().at(-1)?.endMs;
  const startOfReply = speaker.stretches()[0]?.startMs;
  const acousticMs =
    endOfSpeech === undefined || startOfReply === undefined ? null : startOfReply - endOfSpeech;
  return { ...turn, acousticMs };
}

function report(samples: readonly Sample[], missed: number, json: boolean): void {
  const of = (pick: (sample: Sample) => number): Spread => spread(samples.map(pick));
  const acoustic = samples.flatMap(({ acousticMs }) => (acousticMs === null ? [] : [acousticMs]));
  const figures = {
    orders: samples.length,
    notUnderstood: missed,
    milliseconds: {
      endpointing: of((s) => s.endpointingMs),
      recognition: of((s) => s.recognitionMs),
      understanding: of((s) => s.understandingMs),
      synthesis: of((s) => s.replyMs),
      afterPause: of((s) => s.recognitionMs + s.understandingMs + s.replyMs),
      total: of((s) => s.endOfSpeechToReplyMs),
      acousticTotal: spread(acoustic),
    },
  };
  if (json) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
  const rows = Object.entries(figures.milliseconds).map(([stage, { median, p95 }]) => [stage, median, p95]);
  process.stdout.write(`${table([["stage, ms", "median", "p95"], ...rows])}\n`);
  process.stdout.write(`${samples.length} orders, ${missed} not understood\n`);
}
