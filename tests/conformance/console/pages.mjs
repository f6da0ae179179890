// Every page at both widths, light and dark: what axe-core finds, whether it scrolls sideways, its size, and a picture.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { headersOf, signed } from "./shop.mjs";
import { origin, visit } from "./visitor.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PAGE_BYTES_MAX = 60_000;
const PICTURE_BYTES_MAX = 150_000;

/** What the pages are called, where they are, and what is done there first. */
function every({ paid, twice, open, under, refunded, closed }) {
  const name = encodeURIComponent(under.name);
  return {
    home: { path: "/" },
    find: { path: "/find?q=" },
    "find-nothing": { path: "/find?q=%3Cb%3E", status: 200 },
    "find-none": { path: "/find?q=pi_none_of_ours", status: 404 },
    payment: { path: `/payment/${twice.id}` },
    "payment-refunded": { path: `/payment/${paid.id}` },
    "payment-open": { path: `/payment/${open.id}` },
    "payment-none": { path: "/payment/5", status: 404 },
    message: { path: `/message?name=${name}` },
    quarantine: { path: "/quarantine" },
    "quarantine-filtered": { path: "/quarantine?reason=nothing" },
    decide: { path: `/decide?name=${name}` },
    refund: { path: `/act/refund?id=${paid.id}` },
    close: { path: `/act/close?id=${open.id}` },
    query: { path: `/act/query?id=${open.id}` },
    sweep: { path: `/act/sweep?id=${paid.id}` },
    "refund-done": { path: refunded },
    "close-done": { path: closed },
    payments: { path: "/payments?uid=1" },
    "payments-none": { path: "/payments?uid=77" },
    due: { path: "/due" },
    audit: { path: "/audit", first: audited },
    doctor: { path: "/doctor" },
    "doctor-message": { path: `/doctor?name=${name}` },
    "doctor-accepts": { path: "/doctor", first: (page) => diagnosed(page, twice) },
    nowhere: { path: "/nowhere", status: 404 },
  };
}

async function audited(page) {
  if ((await page.locator(".done, .fault").count()) > 0) return;
  await page.getByRole("button", { name: "Run an audit" }).click();
  await page.locator(".done, .fault").first().waitFor();
  assert.match(await page.locator("main").innerText(), /no violation/);
}

async function diagnosed(page, payment) {
  const line = signed("stripe", payment);
  const headers = Object.entries(headersOf(line)).map(([name, value]) => `${name}: ${value}`);
  await page.locator("#provider").selectOption("stripe");
  await page.locator("#headers").fill(headers.join("\n"));
  await page.locator("#body").fill(line.body_base64);
  await page.locator("#is_base64").check();
  await page.locator("#use_secret").check();
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("The service accepts it").waitFor();
}

async function looked(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((rules) => axe.run({ runOnly: rules }), RULES);
  const found = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const said = found.map(({ id, help, nodes }) => `${what}: ${id}, ${help}: ${nodes.map((node) => node.html).slice(0, 3)}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) said.push(`${what}: ${wide} pixels wider than the window`);
  return said;
}

export async function pages(open, data, out, written) {
  const wrong = [];
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 380]) {
      const { page, end } = await visit(open, { colorScheme, viewport: { width, height: 980 } });
      for (const [name, { path, status = 200, first }] of Object.entries(every(data))) {
        const what = `${name}, ${colorScheme}, ${width}`;
        const response = await page.goto(origin + path);
        assert.equal(response.status(), status, what);
        const bytes = (await response.body()).length;
        if (bytes > PAGE_BYTES_MAX) wrong.push(`${what}: ${bytes} bytes`);
        await first?.(page);
        wrong.push(...(await looked(page, what)));
        const picture = `${out}/${name}-${colorScheme}-${width}.png`;
        await page.screenshot({ path: picture, fullPage: true });
        const copy = written[`${name}-${colorScheme}-${width}`];
        if (copy) {
          await page.screenshot({ path: copy });
          assert.ok(fs.statSync(copy).size < PICTURE_BYTES_MAX, `${copy} is too large`);
        }
      }
      await end();
    }
  }
  assert.deepEqual(wrong, []);
}

/** The keys that a page names do what it says. */
export async function keys(open) {
  const { page, end } = await visit(open);
  await page.goto(`${origin}/payments?uid=1`);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const first = await page.locator("main tbody a").first().getAttribute("href");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), first);
  await page.keyboard.press("Enter");
  await page.waitForURL(origin + first);
  for (const [key, path] of [["h", "/"], ["q", "/quarantine"], ["d", "/due"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL(origin + path);
  }
  await end();
  // Where the machine's time is not UTC, `t` shows it.
  const east = await visit(open, { timezoneId: "Asia/Shanghai" });
  await east.page.goto(`${origin}/payments?uid=1`);
  const time = east.page.locator("main time").first();
  const [utc, at] = [await time.innerText(), await time.getAttribute("datetime")];
  await east.page.keyboard.press("t");
  const shanghai = new Date(Date.parse(at) + 8 * 3600_000).toISOString().replace("T", " ").replace("Z", "");
  assert.equal(await time.innerText(), shanghai);
  await east.page.getByRole("button", { name: "show UTC" }).click();
  assert.equal(await time.innerText(), utc);
  await east.end();
}
