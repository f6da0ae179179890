// The shop and the providers of a local stack: makes payments in every state, and asks what the shop knows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

const about = JSON.parse(process.env.ABOUT);
const local = (...args) => execFileSync(process.env.LOCAL, args, { encoding: "utf8" });
const payctlAt = (args) => [...args, `--local=${about.api}`];

/** Runs payctl on this stack; returns what it prints. */
export function payctl(...args) {
  return execFileSync(process.env.PAYCTL, payctlAt(args), { encoding: "utf8" });
}

async function post(url, body, headers) {
  const text = typeof body === "string" || body instanceof Buffer ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json", ...headers },
  });
  const said = await response.text();
  assert.ok(response.ok, `${url}: ${response.status} ${said}`);
  return said;
}

const tokens = new Map();
function token(scope) {
  if (!tokens.has(scope)) tokens.set(scope, local("token", "--scope", scope).trim().split(/\s+/).at(-1));
  return tokens.get(scope);
}

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const api = async (path, body, token, headers = {}) =>
  JSON.parse(await post(`${about.api}/api/pay/${path}`, body, { ...bearer(token), ...headers }));
const shop = async (path, body) =>
  JSON.parse(await post(`${about.orders}/api/order/${path}`, body, bearer(token("pay:service"))));

/** An order of user 1 and its payment. */
export async function payment(amount) {
  const { id: oid } = await shop("create", { uid: 1, pid: 1, amount, status: 0 });
  const { id } = await api("create", { uid: 1, oid, amount }, about.payer_token);
  return { id, oid, amount };
}

/** What the shop's order service has been notified of: 0 is unpaid, 1 paid. */
export const orderStatus = async ({ oid }) => (await shop("detail", { id: oid })).status;

export const checkout = ({ id }, provider, method) =>
  api("checkout", { id, provider, method, return_url: "https://shop.example/back" }, about.payer_token);

/** Pays the newest checkout, as the payer does at the provider. */
export const pay = ({ id }) => local("pay", String(id), "--api", about.api);

/** A message of a provider's, signed as it signs. */
export async function notify(provider, id, amount, outcome = "paid") {
  const args = ["--provider", provider, "--payment", String(id), "--amount", String(amount), "--outcome", outcome];
  const line = JSON.parse(local("sign", ...args));
  const body = Buffer.from(line.body_base64, "base64");
  await post(`${about.api}/api/pay/callback/${provider}`, body, headersOf(line));
  return line;
}

/** A message that is signed and not sent. */
export const signed = (provider, { id, amount }) =>
  JSON.parse(local("sign", "--provider", provider, "--payment", String(id), "--amount", String(amount)));

export const headersOf = ({ headers = {} }) => Object.fromEntries(Array.isArray(headers) ? headers : Object.entries(headers));

/** A payment of which a provider collected less than is due: its message is in quarantine. */
export async function underpaid() {
  const made = await payment(12900);
  await notify("wechat", made.id, 12000);
  const listed = payctl("quarantine", "list", "--json").split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const name = JSON.stringify(listed).match(new RegExp(`"(${made.id}/wechat/[^"]+)"`))?.[1];
  assert.ok(name, `the message about ${made.id} is not in quarantine`);
  return { ...made, name };
}

/** A payment that its payer has paid at WeChat Pay. */
export async function paidThere() {
  const made = await payment(12900);
  await checkout(made, "wechat", "native");
  pay(made);
  return made;
}

/** What a table has after some days: one payment in each state. */
export async function days() {
  const paid = await payment(129900);
  await checkout(paid, "wechat", "native");
  pay(paid);
  const refund = { id: paid.id, amount: 900, reason: "one piece was broken" };
  await api("refund", refund, token("pay:refund"), { "Idempotency-Key": `refund-${paid.id}` });
  // It failed first, was paid, was reported twice, and was paid once more elsewhere.
  const twice = await payment(5000);
  await notify("stripe", twice.id, 5000, "failed");
  await notify("stripe", twice.id, 5000);
  await notify("stripe", twice.id, 5000);
  await notify("alipay", twice.id, 5000);
  // Money for a payment that nobody made.
  await notify("alipay", 4242, 700);
  const open = await payment(2500);
  await checkout(open, "stripe", "checkout").catch(() => checkout(open, "alipay", "page"));
  for (const amount of [1000, 1250, 99]) await payment(amount);
  const under = await underpaid();
  return { paid, twice, open, under };
}
