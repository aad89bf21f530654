/** English utterances at a counter, of native and other speakers, and what they mean. */
import { describe, expect, test } from "vitest";
import type { Expectation } from "../../models/model.ts";
import { compileMenu, understand } from "../../models/understanding/parser.ts";
import { CAFE_MENU } from "../support/cafe-menu.ts";
import { contextOf, notation } from "../support/understanding-notation.ts";

const compiled = compileMenu(CAFE_MENU, "en");

type Row = readonly [said: string, means: string];

function table(title: string, basket: string, expectation: Expectation, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)("%s", (said, means) => {
      const context = contextOf(CAFE_MENU, basket, expectation);
      expect(notation(understand({ text: said }, compiled, context, "en"))).toBe(means);
    });
  });
}

table("orders into an empty basket", "", "order", [
  ["two americanos please", "+2 americano"],
  ["Can I get an americano?", "+1 americano"],
  ["can I have two iced americanos", "+2 americano(iced)"],
  ["I'd like a hot latte please", "+1 cafe-latte(hot)"],
  ["I would like to order three cappuccinos", "+3 cappuccino"],
  ["give me a large iced americano", "+1 americano(iced,large)"],
  ["gimme two lattes", "+2 cafe-latte"],
  ["two iced americanos and one hot latte", "+2 americano(iced), +1 cafe-latte(hot)"],
  [
    "an iced americano, a large latte and two croissants",
    "+1 americano(iced), +1 cafe-latte(large), +2 croissant",
  ],
  ["I'll have a vanilla latte and a cheesecake", "+1 vanilla-latte, +1 cheesecake"],
  ["one green tea latte hot please", "+1 green-tea-latte(hot)"],
  ["americano", "+1 americano"],
  ["americano two please", "+2 americano"],
  ["two americano one latte", "+2 americano, +1 cafe-latte"],
  ["I want ice americano", "+1 americano(iced)"],
  ["please give me cold latte one", "+1 cafe-latte(iced)"],
  ["two peach iced teas", "+2 iced-tea"],
  ["a cold brew, please", "+1 cold-brew"],
  ["two slices of cheesecake", "+2 cheesecake"],
  ["two bottles of water", "+2 water"],
  ["a cup of americano", "+1 americano"],
  ["twenty five americanos", "+25 americano"],
  ["one hundred and twenty lattes", "+120 cafe-latte"],
  ["18000 lattes", "+18000 cafe-latte"],
  ["12 salt breads", "+12 salt-bread"],
  ["two americanos, one iced and one hot", "+1 americano(iced), +1 americano(hot)"],
  ["one iced americano and one hot", "+1 americano(iced), +1 americano(hot)"],
  ["three lattes, make one of them iced", "+1 cafe-latte(iced), +2 cafe-latte"],
  ["two americanos, no, three americanos", "+3 americano"],
  ["two americanos no wait three", "+3 americano"],
  ["an americano, no, a latte", "+1 cafe-latte"],
  ["an americano and a latte, two each", "+2 americano, +2 cafe-latte"],
  ["a mocha without whipped cream", "+1 mocha(plain)"],
  ["a mocha with whipped cream", "+1 mocha(whipped)"],
  ["um, uh, can I get, like, two lattes", "+2 cafe-latte"],
  ["hello, a latte to go please", "+1 cafe-latte"],
  ["do you have lemonade", "+1 lemonade"],
  ["two lattes by card", "+2 cafe-latte"],
  ["a latte instead of an americano", "+1 cafe-latte"],
  ["may I order two hot americano and three iced latte please", "+2 americano(hot), +3 cafe-latte(iced)"],
  ["I want to drink coffee americano one cup", "+1 americano"],
  ["hot americano large size two", "+2 americano(hot,large)"],
  ["two lattes one large one regular", "+1 cafe-latte(large), +1 cafe-latte(regular)"],
  ["a large americano and a regular one", "+1 americano(large), +1 americano(regular)"],
  ["two lattes, both iced", "+2 cafe-latte(iced)"],
  ["three americanos, two iced", "+2 americano(iced), +1 americano"],
  ["can we get four cold brews to go", "+4 cold-brew"],
  ["one ice tea", "+1 iced-tea"],
  ["a latte, actually no, a mocha", "+1 mocha"],
  ["a dozen croissants", "+12 croissant"],
]);

table("recognition errors", "", "order", [
  ["two amerikanos please", "+2 americano"],
  ["can I get for iced lattes", "+4 cafe-latte(iced)"],
  ["to americanos please", "+2 americano"],
  ["three lattes make won of them iced", "+1 cafe-latte(iced), +2 cafe-latte"],
  ["an americana please", "+1 americano"],
  ["one vanila late", "+1 vanilla-latte"],
  ["two capuchinos", "+2 cappuccino"],
  ["one chees cake", "+1 cheesecake"],
  ["a crossant please", "+1 croissant"],
  ["two iced amerricanos", "+2 americano(iced)"],
  ["twoicedamericanosplease", "+2 americano(iced)"],
]);

table("no order", "", "order", [
  ["what is the weather like today", "none"],
  ["thank you for watching", "none"],
  ["I went to school yesterday", "none"],
  ["um", "none"],
  ["", "none"],
  ["where is the bathroom", "none"],
]);

table("requests", "", "order", [
  ["can you repeat that", "repeat"],
  ["pardon", "repeat"],
  ["what did you say", "repeat"],
  ["help", "help"],
  ["how do I order", "help"],
  ["what do you have", "help"],
  ["can I talk to a person", "staff"],
  ["call the staff please", "staff"],
  ["how much is the latte", "? cafe-latte"],
  ["what is the price of a cheesecake", "? cheesecake"],
  ["how much is it", "? *"],
  ["cancel", "cancel"],
  ["cancel my order", "cancel"],
  ["never mind", "cancel"],
]);

table("a basket of one americano, two iced lattes", "1 americano, 2 cafe-latte(iced)", "order", [
  ["make it three", "=3 *"],
  ["make that three lattes", "=3 cafe-latte"],
  ["make it hot", "~ *(hot)"],
  ["make one of them hot", "~1 *(hot)"],
  ["make the americano iced", "~ americano(iced)"],
  ["can you make one hot", "~1 *(hot)"],
  ["make them all large", "~ americano(large), ~ cafe-latte(large)"],
  ["one more please", "+1 cafe-latte(iced)"],
  ["two more", "+2 cafe-latte(iced)"],
  ["one more americano", "+1 americano"],
  ["another latte", "+1 cafe-latte"],
  ["add a cheesecake", "+1 cheesecake"],
  ["same again", "+1 cafe-latte(iced)"],
  ["also a croissant", "+1 croissant"],
  ["remove one latte", "-1 cafe-latte"],
  ["remove the americano", "- americano"],
  ["cancel the americano", "- americano"],
  ["take off one of them", "-1 *"],
  ["I don't want the americano", "- americano"],
  ["cancel that", "- *"],
  ["no, a cappuccino", "* > 1 cappuccino"],
  ["no, cappuccino instead", "* >  cappuccino"],
  ["change it to a cappuccino", "* > 1 cappuccino"],
  ["change the americano to a cappuccino", "americano > 1 cappuccino"],
  ["a cappuccino instead of the americano", "americano > 1 cappuccino"],
  ["instead of the americano a cappuccino", "americano > 1 cappuccino"],
  ["not the americano, a cappuccino", "americano > 1 cappuccino"],
  ["can you make the latte hot instead", "~ cafe-latte(hot)"],
  ["actually make it three lattes", "=3 cafe-latte"],
  ["can I change the latte to a mocha", "cafe-latte > 1 mocha"],
  ["one less latte", "-1 cafe-latte"],
  ["can you take the latte off", "- cafe-latte"],
  ["I don't want the latte anymore", "- cafe-latte"],
  ["no that's three lattes not two", "=3 cafe-latte"],
  ["both large", "~ americano(large), ~ cafe-latte(large)"],
  ["three more of those", "+3 cafe-latte(iced)"],
  ["can I get the same but hot", "+1 cafe-latte(hot)"],
  ["hmm can I also get a water", "+1 water"],
  ["I'd like to add two croissants and then pay", "+2 croissant"],
  ["remove everything", "cancel"],
  ["that's all", "pay"],
  ["I'll pay by card", "pay"],
  ["no thanks, that's all", "pay"],
  ["check please", "pay"],
]);

table("the read-back of two americanos is waiting for a yes", "2 americano", "confirmation", [
  ["yes", "confirm"],
  ["yes please", "confirm"],
  ["yeah that's right", "confirm"],
  ["okay", "confirm"],
  ["sounds good", "confirm"],
  ["no", "deny"],
  ["no thanks", "deny"],
  ["that's wrong", "deny"],
  ["no, three americanos", "=3 americano"],
  ["no, make one of them iced", "~1 *(iced)"],
  ["yes and a latte", "+1 cafe-latte"],
  ["no I said two lattes", "* > 2 cafe-latte"],
  ["cancel everything", "cancel"],
  ["say that again", "repeat"],
]);
