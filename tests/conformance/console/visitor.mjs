// Somebody at the console, with a mouse, with a keyboard alone, or with scripts off; and what no page may do.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const origin = new URL(process.env.LINK).origin;

export async function browser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // Without them it calls home, and needs a user other than root.
  const args = ["--no-sandbox", "--disable-background-networking"];
  const chrome = await chromium.launch({ executablePath, args });
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(process.env.LINK);
  // The code has left the address bar, and works no more for anybody else.
  assert.equal(page.url(), `${origin}/`);
  const stranger = await chrome.newContext();
  assert.equal((await (await stranger.newPage()).goto(process.env.LINK)).status(), 403);
  await stranger.close();
  const storageState = await context.storageState();
  await context.close();
  return { chrome, storageState };
}

/** A page that fails the run with what it must not do: errors, blocked scripts and styles, calls to others. */
export async function visit({ chrome, storageState }, options = {}) {
  const context = await chrome.newContext({ storageState, viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  const expected = new Set();
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    // Chromium writes one for a page whose status says that something is missing.
    const isStatus = message.text().startsWith("Failed to load resource") && expected.has(message.location().url);
    if (["error", "warning"].includes(message.type()) && !isStatus) faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.request().isNavigationRequest() && response.status() >= 400) expected.add(response.url());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`${page.url()} calls ${request.url()}`);
  });
  const end = async () => {
    await context.close();
    assert.deepEqual(faults, []);
  };
  return { page, end };
}

const isFocused = (element) => element === document.activeElement;

/** With the pointer. */
export const mouse = {
  name: "by mouse",
  options: {},
  press: (page, target) => target.click(),
  write: (page, target, text) => target.fill(text),
  choose: (page, target, value) => target.selectOption(value),
  find: async (page, text) => {
    await page.locator("#q").fill(text);
    await page.getByRole("button", { name: "Find" }).click();
  },
  quarantine: (page) => page.getByRole("link", { name: "Quarantine", exact: true }).click(),
  row: (page, link) => link.click(),
};

/** The same, with no script of ours: what it does, browsers do. */
export const scriptless = { ...mouse, name: "without scripts", options: { javaScriptEnabled: false } };

/** With keys alone: those of the console, and Tab to what has none. */
export const keyboard = {
  name: "by keyboard",
  options: {},
  async reach(page, target) {
    for (let pressed = 0; pressed < 150; pressed += 1) {
      if (await target.evaluate(isFocused)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`the keyboard does not reach ${target}`);
  },
  async press(page, target) {
    await this.reach(page, target);
    await page.keyboard.press("Enter");
  },
  async write(page, target, text) {
    await this.reach(page, target);
    await page.keyboard.type(text);
  },
  async choose(page, target, value) {
    await this.reach(page, target);
    await page.keyboard.type(value);
    assert.equal(await target.inputValue(), value);
  },
  async find(page, text) {
    await page.keyboard.press("/");
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
  },
  async quarantine(page) {
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.waitForURL(`${origin}/quarantine`);
  },
  async row(page, link) {
    for (let pressed = 0; pressed < 150; pressed += 1) {
      await page.keyboard.press("j");
      if (await link.evaluate(isFocused)) break;
    }
    assert.ok(await link.evaluate(isFocused), `j does not reach ${link}`);
    await page.keyboard.press("Enter");
  },
};
