// Alipay's pages and order strings, as its client for Node signs them: equal but for the order of the parameters,
// and in the URL of a page for the client's name of itself, which is signed, too.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";

const { AlipaySdk } = createRequire(process.env.ALIPAY_SDK)("alipay-sdk");
const gateway = "https://openapi.alipay.com/gateway.do";
const notify_url = "https://pay.shop.example/api/pay/callback/alipay";
const return_url = "https://shop.example/paid?order=7&x=%2F";
const reference = "1217752501201407_2";

const encodings = {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
};
const ours = generateKeyPairSync("rsa", { modulusLength: 2048, ...encodings });
const theirs = generateKeyPairSync("rsa", { modulusLength: 2048, ...encodings });
const appId = "2019073166072302";
const sdk = new AlipaySdk({
  appId, gateway, privateKey: ours.privateKey, alipayPublicKey: theirs.publicKey,
});

function ask(method, secs, more) {
  const checkout = {
    method, reference, amount: 8888, currency: "CNY", description: '订单 "7" & b=1/2', notify_url,
    expires: 1_700_001_800, ...more,
  };
  const alipay = { app_id: appId, private_key: ours.privateKey, public_keys: [theirs.publicKey] };
  const input = JSON.stringify({
    secret: { alipay }, provider: "alipay", nonce: "x", secs, checkout, response: null,
  });
  return JSON.parse(execFileSync(process.env.QUERY, { input, encoding: "utf8" }));
}

// Sorted, since only the signed text has an order.
const parameters = (query) => [...new URLSearchParams(query)].sort();

// The time that the client has signed is the wall clock of Beijing.
function seconds(query) {
  const beijing = new URLSearchParams(query).get("timestamp");
  const secs = Date.parse(`${beijing.replace(" ", "T")}+08:00`) / 1000;
  assert.ok(Math.abs(secs - Date.now() / 1000) < 60, beijing);
  return secs;
}

let signed = 0;
for (const [name, method, product_code] of [
  ["page", "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"],
  ["wap", "alipay.trade.wap.pay", "QUICK_WAP_WAY"],
  ["app", "alipay.trade.app.pay", "QUICK_MSECURITY_PAY"],
]) {
  // In the order of our own members.
  const bizContent = {
    out_trade_no: reference, product_code, subject: '订单 "7"   b 1 2',
    time_expire: "2023-11-15 06:43:20", total_amount: "88.88",
  };
  // The client leaves the format out; the gateway takes either.
  const given = { bizContent, notifyUrl: notify_url, format: "JSON" };
  if (name !== "app") given.returnUrl = return_url;
  const theirs = sdk.sdkExecute(method, given);
  const found = ask(name, seconds(theirs), name === "app" ? {} : { return_url });
  const signedByUs = name === "app" ? found.client.orderStr : found.query;
  assert.deepEqual(parameters(signedByUs), parameters(theirs));
  if (name !== "app") {
    const url = sdk.pageExecute(method, "GET", given);
    assert.ok(url.startsWith(`${gateway}?`), url);
    const own = ["alipay_sdk", "sign"];
    const without = (query) => parameters(query).filter(([known]) => !own.includes(known));
    const page = url.slice(gateway.length);
    assert.deepEqual(without(ask(name, seconds(page), { return_url }).query), without(page));
  }
  signed += 1;
}
console.log(`${signed} signatures: alipay-sdk for Node and we agree`);
