// What people come for, from the first page to the end.
import assert from "node:assert/strict";
import fs from "node:fs";
import { origin } from "./visitor.mjs";
import { orderStatus, paidThere, payctl, payment, underpaid } from "./shop.mjs";

const place = (page) => page.url().replace(origin, "");
const cell = (row, label) => row.locator(`[data-label="${label}"]`);

/** A buyer has the provider's transaction id: what became of the payment? */
async function findByTransaction(page, by, { twice }) {
  await page.goto(`${origin}/`);
  await by.find(page, `pi_${twice.id}`);
  await page.waitForURL(`${origin}/**${twice.id}**`);
  // One message about it is in quarantine, so that there are two to choose from.
  if (page.url().includes("/find")) await by.row(page, page.locator(`main a[href^="/payment/${twice.id}"]`).first());
  await page.getByRole("heading", { level: 1, name: `Payment ${twice.id}` }).waitFor();
  const rows = page.locator("section", { has: page.getByRole("heading", { name: "Timeline" }) }).locator("tbody tr");
  assert.equal(await rows.count(), 4);
  const steps = [
    ["Stripe", "failed", "pending → failed", "applied"],
    ["Stripe", "paid", "failed → paid", "applied"],
    ["Stripe", "paid", "", "duplicate"],
    ["Alipay", "paid", "", "quarantined"],
  ];
  for (const [at, [sender, outcome, status, verdict]] of steps.entries()) {
    const row = rows.nth(at);
    assert.equal(await cell(row, "Sender").innerText(), sender);
    assert.match(await cell(row, "Reported").innerText(), new RegExp(`^${outcome} 50\\.00 CNY`));
    assert.match(await cell(row, "Verdict").innerText(), new RegExp(`^${verdict}`));
    if (status) assert.equal((await cell(row, "Status").innerText()).replace(/\s+/g, " "), status);
  }
  assert.match(await cell(rows.nth(3), "Mismatch").innerText(), /reference: expected .*received /s);
  await by.press(page, cell(rows.nth(1), "Event").locator("a"));
  await page.getByRole("heading", { name: "Body" }).waitFor();
  assert.match(await page.locator("main").innerText(), /payment_intent\.succeeded[\s\S]*/);
  assert.match(await page.locator("main").innerText(), /SHA-256 as it came\s+[0-9a-f]{64}/);
}

async function openQuarantined(page, by, { name }) {
  await page.goto(`${origin}/`);
  await by.quarantine(page);
  const link = page.locator(`main a[href="/decide?name=${encodeURIComponent(name)}"]`);
  await by.row(page, link);
  await page.getByRole("heading", { name: "Decide on a message" }).waitFor();
}

const choice = (page, title) => page.locator("form", { has: page.getByRole("button", { name: title, exact: true }) });

/** A provider collected less than is due, and a person says that it is enough. */
async function acceptAnUnderpayment(page, by) {
  const under = await underpaid();
  await openQuarantined(page, by, under);
  const differs = page.locator("main tbody tr", { hasText: "differs" });
  assert.equal(await differs.count(), 1);
  assert.equal(await cell(differs, "Message").innerText(), "120.00 CNY");
  assert.equal(await cell(differs, "Record").innerText(), "129.00 CNY");
  const form = choice(page, "Accept");
  // Without a note nothing is sent.
  await by.press(page, form.getByRole("button"));
  assert.equal(await form.locator("textarea").evaluate((note) => note.validity.valueMissing), true);
  await page.reload();
  await by.write(page, form.locator("textarea"), "The buyer paid the rest in the shop");
  await by.press(page, form.getByRole("button"));
  await page.locator(".done").waitFor();
  assert.match(await page.locator("main").innerText(), new RegExp(`Accepted by ada at [\\s\\S]*payment ${under.id} is paid`));
  assert.match(await page.locator("main").innerText(), /The buyer paid the rest in the shop/);
  assert.equal(await orderStatus(under), 0);
  payctl("sweep", "--all");
  assert.equal(await orderStatus(under), 1);
  await page.goto(`${origin}/payment/${under.id}`);
  assert.match(await page.locator("main").innerText(), /Order service\s+notified /);
}

/** Two people open the same message, and the other one is first. */
async function loseARace(page, by) {
  const under = await underpaid();
  await openQuarantined(page, by, under);
  payctl("quarantine", "dismiss", under.name, "--by", "grace", "--note", "The buyer was given the money in cash");
  const form = choice(page, "Accept");
  await by.write(page, form.locator("textarea"), "It is enough");
  await by.press(page, form.getByRole("button"));
  await page.getByRole("heading", { level: 1, name: "Not done" }).waitFor();
  const said = await page.locator("main").innerText();
  assert.match(said, /Dismissed by grace at [^:]*:\d\d:[^:]*: The buyer was given the money in cash/);
  assert.match(said, /your decision was not made/);
  await by.press(page, page.getByRole("link", { name: "What became of the message" }));
  await page.getByText(/Dismissed by grace at/).waitFor();
  assert.equal(await orderStatus(under), 0);
}

/** Those rows of the filter, as a spreadsheet and as lines of JSON. */
async function exportWhatIsFiltered(page, by) {
  await page.goto(`${origin}/`);
  await by.find(page, "uid:1");
  await page.waitForURL(/payments\?uid=1/);
  const all = await page.locator("main tbody tr").count();
  await by.choose(page, page.locator("#status"), "paid");
  await by.press(page, page.getByRole("button", { name: "Show" }));
  await page.waitForURL(/status=paid/);
  const shown = await page.locator('main tbody [data-label="Payment"]').allInnerTexts();
  assert.ok(shown.length > 0 && shown.length < all, `${shown.length} of ${all}`);
  const file = async (name) => {
    const began = page.waitForEvent("download");
    await by.press(page, page.getByRole("link", { name, exact: true }));
    return fs.readFileSync(await (await began).path(), "utf8");
  };
  const lines = (await file("JSON Lines")).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => String(line.payment)), shown);
  assert.ok(lines.every((line) => line.status === "paid"));
  const [header, ...rows] = (await file("CSV")).trim().split(/\r?\n/);
  assert.equal(header.split(",")[0], "payment");
  assert.deepEqual(rows.map((row) => row.split(",")[0].replaceAll('"', "")), shown);
}

/** Presses a button of the payment's page, fills the form in, and sends it; the page that says what came of it. */
async function act(page, by, { id }, [button, wording], fields) {
  await page.goto(`${origin}/`);
  await by.find(page, String(id));
  await page.waitForURL(`${origin}/payment/${id}**`);
  await by.press(page, page.getByRole("button", { name: button, exact: true }));
  await page.getByRole("heading", { level: 1, name: button }).waitFor();
  for (const [field, text] of Object.entries(fields)) await by.write(page, page.locator(`#${field}`), text);
  await by.press(page, page.locator("main").getByRole("button", { name: button, exact: true }));
  await page.locator(".done").waitFor();
  const text = await page.locator("main").innerText();
  assert.match(text, new RegExp(`^Done\\s+${wording} by ada at `));
  assert.ok(text.includes(fields.note));
  return text;
}

/** A part goes back, once, and the payment's page says who, what and why. */
async function refundAPart(page, by) {
  const paid = await paidThere();
  const fields = { amount: "9.50", reason: "one cup was broken", note: "The buyer sent a picture" };
  await act(page, by, paid, ["Refund", "A refund was asked for"], fields);
  // The provider accepts it, and reports a moment later that it was made.
  const main = page.locator("main");
  for (let read = 0; read < 100 && /: pending/.test(await main.innerText()); read += 1) await page.reload();
  assert.match(await main.innerText(), new RegExp(`Refund ${paid.id}_[0-9a-f]{16}(Copy)? of 9\\.50 CNY: succeeded`));
  const refunded = place(page);
  await page.goto(`${origin}/payment/${paid.id}`);
  const part = (title) => page.locator("section", { has: page.getByRole("heading", { name: title }) }).locator("tbody tr");
  assert.equal(await part("Refunds").count(), 1);
  assert.equal(await cell(part("Refunds"), "Reason").innerText(), fields.reason);
  assert.equal(await part("Timeline").filter({ hasText: `by ada ${fields.note}` }).count(), 1);
  return { refunded };
}

/** A payment that waits is asked about, looked at by the sweep, and closed in the end. */
async function askAndClose(page, by) {
  const made = await payment(700);
  const asked = await act(page, by, made, ["Ask the providers", "The providers were asked"], { note: "The buyer called" });
  assert.match(asked, /is pending/);
  await act(page, by, made, ["Do what is due", "What was due was done"], { note: "To be sure" });
  const text = await act(page, by, made, ["Close", "A close was asked for"], { note: "A duplicate order" });
  assert.match(text, /is closed/);
  return { closed: place(page) };
}

export const journeys = {
  findByTransaction,
  acceptAnUnderpayment,
  loseARace,
  exportWhatIsFiltered,
  refundAPart,
  askAndClose,
};
