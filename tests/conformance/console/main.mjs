// The console in a real browser: journeys, then a look at every page. Started by `run`.
import fs from "node:fs";
import { journeys } from "./journeys.mjs";
import { keys, pages } from "./pages.mjs";
import { days } from "./shop.mjs";
import { browser, keyboard, mouse, scriptless, visit } from "./visitor.mjs";

const out = process.env.OUT;
// With `--write`: the pictures of the documents.
const written = process.argv.includes("--write")
  ? {
      "decide-light-1280": "docs/console.png",
      "payment-light-1280": "docs/console-payment.png",
      "payment-dark-380": "docs/console-small.png",
    }
  : {};

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
const data = await days();
const open = await browser();
try {
  for (const by of [mouse, keyboard, scriptless]) {
    for (const [name, journey] of Object.entries(journeys)) {
      const { page, end } = await visit(open, { ...by.options, acceptDownloads: true });
      try {
        Object.assign(data, await journey(page, by, data));
      } catch (error) {
        await page.screenshot({ path: `${out}/failed.png`, fullPage: true });
        throw new Error(`${name}, ${by.name}, at ${page.url()}; see ${out}/failed.png`, { cause: error });
      }
      await end();
      console.log(`${name}, ${by.name}`);
    }
  }
  await keys(open);
  await pages(open, data, out, written);
  console.log(`the pictures of every page are in ${out}`);
} finally {
  await open.chrome.close();
}
