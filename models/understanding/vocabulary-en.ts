/**
 * English function words of a counter order, for native and for other speakers: short forms ("gimme"), textbook forms
 * ("I would like to order"), and the bare noun ("two americano please").
 */
import { type FunctionWord, type OptionSynonyms, words } from "./vocabulary.ts";

const ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen";
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety";

function number(word: string, value: number): FunctionWord {
  return { word, sense: { kind: "number", value, form: "word" } };
}

const NUMBERS: readonly FunctionWord[] = [
  ...ONES.split(" ").map(number),
  ...TENS.split(" ").map((word, index) => number(word, (index + 2) * 10)),
  number("hundred", 100),
  number("thousand", 1_000),
  number("a", 1),
  number("an", 1),
  number("single", 1),
  number("double", 2),
  number("a couple of", 2),
  number("a couple", 2),
  number("couple of", 2),
  number("a dozen", 12),
  number("half a dozen", 6),
  number("another", 1),
];

const COUNTERS = words(
  { kind: "counter" },
  "cup of|cups of|cup|cups|glass of|glasses of|bottle of|bottles of|bottle|bottles|piece of|pieces of|piece|pieces|slice of|slices of|slice|slices|serving of|servings of|servings|bowl of|bowls of|order of|orders of|can of|cans of|of",
);

const PARTICLES: readonly FunctionWord[] = [
  ...words({ kind: "particle", role: "each" }, "each|apiece|of each"),
  ...words({ kind: "particle", role: "direction" }, "to|into|to be|as"),
  ...words({ kind: "particle", role: "also" }, "also|too|as well"),
  ...words({ kind: "particle", role: "only" }, "only|just"),
];

const ORDER = words(
  { kind: "order" },
  "can i get|could i get|may i get|can i have|could i have|may i have|can i order|could i order|may i order|can you give me|could you give me|can you get me|" +
    "can we get|can we have|could we have|could we get|we'll have|we'd like|we want|we will have|let us have|" +
    "i want|i wanna|i want to order|i wanna order|i would like|i'd like|i would like to have|i'd like to have|i would like to order|i'd like to order|i would like to get|i'd like to get|" +
    "i like to order|i want to have|i want to get|i need|i'll have|i'll take|i'll get|i will have|i will take|i will get|let me get|let me have|lemme get|give me|gimme|get me|" +
    "please|please give me|order|ordering|to order|do you have|for me|i'm gonna have|i am going to have|i'm gonna get|would like|want|have|get|take|i take|i order|i go with|i'll go with|go for|i'll do|can i do",
);

const REMOVE: readonly FunctionWord[] = [
  ...words(
    { kind: "remove" },
    "remove|take off|take out|take away|take back|delete|drop|get rid of|leave out|leave off|scratch|minus|lose|i don't want|i do not want|don't want|i don't need|don't need|take one off|no more|off|less|fewer",
  ),
  ...words({ kind: "without" }, "without"),
  ...words(
    { kind: "cancel" },
    "cancel|please cancel|i want to cancel|i'd like to cancel|i would like to cancel|can you cancel",
  ),
  ...words(
    { kind: "cancel-all" },
    "cancel everything|cancel all|cancel the order|cancel my order|cancel order|cancel it all|start over|start again|never mind|nevermind|forget it|forget about it|stop|quit|remove everything|clear everything|clear the order|remove all|i changed my mind",
  ),
];

const CORRECTION: readonly FunctionWord[] = [
  ...words(
    { kind: "change" },
    "change|change it|change that|change to|make it|make that|make|make them|make those|make both|switch|switch it|switch that|swap|swap it|replace|exchange|turn|can you make it|could you make it|can you change|could you change|can we make it|let's make it|can i change|i want to change|i'd like to change|should be|i meant|i mean|i said|instead",
  ),
  ...words({ kind: "instead" }, "instead of|rather than|not|in place of"),
  ...words(
    { kind: "more" },
    "more|add|plus|extra|additional|add on|can you add|could you add|can i add|one more|i'd like to add|please add|and add",
  ),
  ...words({ kind: "same" }, "same|the same|same thing|the same thing|same again|of the same|like that"),
  ...words({ kind: "all" }, "all of them|all|both|both of them|everything|them all|all of those"),
  ...words({ kind: "rest" }, "the rest|the other|the other one|the others|rest|other one|other"),
  ...words({ kind: "thing" }, "it|that|them|those|of them|of those|of it|this|the last one"),
];

const ANSWERS: readonly FunctionWord[] = [
  ...words(
    { kind: "yes" },
    "yes|yeah|yep|yup|ya|sure|sure thing|ok|okay|right|that's right|that is right|correct|that's correct|that is correct|yes please|go ahead|exactly|absolutely|of course|sounds good|that's good|that is good|good|perfect|looks good|alright|all right|uh huh|mm hmm|fine by me|great|please do|do it|confirm|i confirm|yes it is|yes that's right|definitely",
  ),
  ...words(
    { kind: "no" },
    "no|nope|nah|no thanks|no thank you|wrong|that's wrong|that is wrong|that's not right|that is not right|not right|incorrect|not correct|that's not what i said|that's not what i ordered|no way|wait|hold on|actually|sorry no|hang on",
  ),
  ...words(
    { kind: "fine" },
    "that's fine|it's fine|fine|i'm good|i'm fine|it's okay|that's okay|it's ok|that's ok",
  ),
  ...words(
    { kind: "pay" },
    "pay|i'll pay|i will pay|i'd like to pay|i want to pay|can i pay|let me pay|pay now|pay by card|pay with card|pay with a card|i'll pay by card|i'll pay with card|i'll pay with a card|by card|card|with card|card please|credit card|by credit card|check out|checkout|check please|bill please|the bill|the check|that's all|that is all|that'll be all|that will be all|that's it|that is it|that'll be it|that's everything|that is everything|nothing else|i'm done|i am done|done|we're done|finished|i'm finished|finish|charge me|ring me up|ring it up|that would be all|it's all|that will do|tap",
  ),
];

const REQUESTS: readonly FunctionWord[] = [
  ...words(
    { kind: "repeat" },
    "repeat|repeat that|say that again|say it again|say again|can you repeat|can you repeat that|could you repeat that|could you repeat|please repeat|what did you say|what was that|pardon|pardon me|come again|one more time|again please|again|sorry what|what|i didn't hear|i didn't catch that|i can't hear you|read it back|read that back",
  ),
  ...words(
    { kind: "help" },
    "help|help me|i need help|can you help me|how does this work|how do i order|how do i do this|what can i say|what do you have|what do you sell|what is on the menu|what's on the menu|menu|show me the menu|instructions|i don't understand|what should i do|what do you recommend|how can i order",
  ),
  ...words(
    { kind: "staff" },
    "staff|call staff|call the staff|a person|a human|human|real person|talk to a person|talk to someone|speak to someone|speak to a person|manager|the manager|clerk|employee|assistant|barista|cashier|someone|talk to a human|waiter|call someone|get someone",
  ),
  ...words(
    { kind: "price" },
    "how much|how much is|how much is it|how much is that|how much does|how much are|how much for|how much would|price|price of|the price|what's the price|what is the price|what's the price of|what is the price of|cost|what does|what's the total|what is the total|the total|how much in total|how much is the total|cost of|how expensive is",
  ),
  ...words(
    { kind: "dining" },
    "to go|for here|takeaway|take away please|takeout|take out please|for takeout|to stay|dine in|eat in|eat here|for take away",
  ),
];

const CONNECTIVES: readonly FunctionWord[] = [
  ...words(
    { kind: "and" },
    "and|with also|and then|then|and also|along with|as well as|also a|together with|and another",
  ),
  ...words(
    { kind: "filler" },
    "uh|um|umm|er|erm|hmm|hm|ah|oh|well|so|like|you know|let me see|let's see|let me think|hi|hello|hey|good morning|good afternoon|thank you|thanks|excuse me|sorry|the|my|please|maybe|i think|i guess|for|one of your|some|of|is|are|me|do|does|you|i|can|could|would|be|in|on|from|your|will|with|kind of|anymore|any more|that's|coffee|sort of|right now|today|now|in total|total|size|sized|drink|drinks|order|won|dollars|for now|and uh|one second|i'm|there|here|this time|then please|at|it's|its|but|or|really|very much|very|as|if possible|possible|that one|this one|the one|one please|from the order|from my order",
  ),
];

const WISHES = words(
  { kind: "wish" },
  "shot|shots|espresso shot|syrup|less ice|no ice|extra ice|ice cubes|sugar|less sugar|no sugar|milk|oat milk|soy milk|decaf|whipped cream|cream|extra hot|straw|lid|sauce|onions|pickles|cheese|extra spicy",
);

export const ENGLISH_WORDS: readonly FunctionWord[] = [
  ...NUMBERS,
  ...COUNTERS,
  ...PARTICLES,
  ...ORDER,
  ...REMOVE,
  ...CORRECTION,
  ...ANSWERS,
  ...REQUESTS,
  ...CONNECTIVES,
  ...WISHES,
];

export const ENGLISH_OPTION_SYNONYMS: readonly OptionSynonyms[] = [
  ["iced", "ice", "cold", "with ice", "on ice", "chilled"],
  ["hot", "warm", "heated"],
  ["large", "big", "grande", "large size", "large-sized"],
  ["regular", "medium", "normal", "standard", "regular size", "medium size", "regular sized"],
  ["small", "little", "small size"],
  ["tall"],
  ["venti"],
  ["to go", "takeaway", "takeout", "for takeout"],
  ["for here", "dine in", "to stay", "eat in"],
  ["spicy", "hot and spicy"],
  ["mild", "not spicy"],
];
