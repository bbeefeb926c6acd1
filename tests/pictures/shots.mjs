// Reads {cards, hostile, exposed, folder} from standard input; writes folder/<name>.png for every card.
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";
import { createRequire } from "node:module";
import { readFileSync, statSync } from "node:fs";

const { resolve } = createRequire(import.meta.url);
const scripts = [resolve("markdown-it/dist/markdown-it.min.js"), resolve("adaptivecards/dist/adaptivecards.min.js")];
const work = JSON.parse(readFileSync(0, "utf8"));

const shade = (foreground, subtle) => ({ default: foreground, subtle });
const colours = (text, subtle) => ({
  default: shade(text, subtle), dark: shade("#000000", "#333333"), light: shade("#ffffff", "#eeeeee"),
  accent: shade("#4f52b2", "#6264a7"), good: shade("#237b4b", "#237b4b"), warning: shade("#8f4e00", "#8f4e00"),
  attention: shade("#c4314b", "#c4314b"),
});
const box = (background) => ({ backgroundColor: background, foregroundColors: colours("#242424", "#616161") });
const host = {
  fontFamily: "Segoe UI, Open Sans, DejaVu Sans, sans-serif",
  fontTypes: {
    default: { fontFamily: "Segoe UI, Open Sans, DejaVu Sans, sans-serif" },
    monospace: { fontFamily: "Consolas, DejaVu Sans Mono, monospace" },
  },
  fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 },
  fontWeights: { lighter: 300, default: 400, bolder: 600 },
  spacing: { small: 4, default: 8, medium: 14, large: 20, extraLarge: 28, padding: 16 },
  containerStyles: {
    default: box("#ffffff"), emphasis: box("#f3f2f1"), accent: box("#e8ebfa"), good: box("#e7f2da"),
    warning: box("#fbf6d9"), attention: box("#fcf4f6"),
  },
  actions: { maxActions: 6, spacing: "default", buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left" },
  supportsInteractivity: true,
};
const style = `
  body { margin: 0; background: #f5f5f5; font-family: "Segoe UI", "Open Sans", "DejaVu Sans", sans-serif; }
  #card { width: 560px; margin: 12px; background: white; border-radius: 6px; box-shadow: 0 1px 3px #0003; overflow: hidden; }
  .ac-pushButton { background: white; border: 1px solid #d1d1d1; border-radius: 4px; padding: 5px 12px; font: 600 13px "Open Sans", "DejaVu Sans", sans-serif; color: #242424; }
`;

const browser = await puppeteer.launch({
  args: [...chromium.args, "--no-sandbox"], executablePath: await chromium.executablePath(), headless: "shell",
});
const page = await browser.newPage();
await page.setViewport({ width: 584, height: 10, deviceScaleFactor: 1.25 });
await page.setContent(`<style>${style}</style><div id="card"></div>`);
for (const path of scripts) await page.addScriptTag({ path });

const show = (card) => page.evaluate((card, host) => {
  const made = new AdaptiveCards.AdaptiveCard();
  made.hostConfig = new AdaptiveCards.HostConfig(host);
  const faults = [];
  const context = new AdaptiveCards.SerializationContext();
  made.parse(card, context);
  for (let i = 0; i < context.eventCount; i++) faults.push(context.getEventAt(i).message);
  for (const failure of made.validateProperties().validationEvents) faults.push(failure.message);
  const place = document.getElementById("card");
  place.replaceChildren(made.render());
  return { faults, made: place.querySelectorAll("a, em, strong, img, li, h1").length };
}, card, host);

for (const [name, card] of Object.entries(work.cards)) {
  const { faults } = await show(card);
  const path = `${work.folder}/${name}.png`;
  await page.screenshot({ path, fullPage: true });
  console.log(name, statSync(path).size, "bytes", faults.length ? faults : "");
}
const made = async (card) => (await show(card)).made;
console.log("made by markdown of hostile texts:", await made(work.hostile), "of the same as TextBlocks:", await made(work.exposed));
await browser.close();
