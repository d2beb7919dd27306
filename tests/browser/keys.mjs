// Uses what static/admin.js adds to pages: keys, closing what is open, copying. Beside what harness.mjs says, the job has
//   visitor  who does it
//   list     a list of several pages, with filters
//   person   a user's page
//   entry    the page of an entry of the audit log
//   uid      a uid that stands on the user's page
// The report has steps: the names of those that were gone through.

import { createRequire } from "node:module";
import { job, local, open, report } from "./harness.mjs";

const require = createRequire(import.meta.url);
const AXE = require.resolve("axe-core/axe.min.js");

const ROWS = ".list tbody .who a";

/** Notes `what` unless it holds. */
function expect(page, holds, what) {
  if (!holds) report(local(page.url()), "", what);
}

/** The place of the focus among the rows, or -1. */
const focusedRow = (page) => page.evaluate((rows) => [...document.querySelectorAll(rows)].indexOf(document.activeElement), ROWS);
const hrefs = (page) => page.locator(ROWS).evaluateAll((links) => links.map((link) => link.href));
const isFocused = (page, selector) => page.evaluate((what) => document.activeElement?.matches(what) ?? false, selector);
const isHelpOpen = (page) => page.locator("#keys[open]").count().then((count) => count === 1);

async function pressAndGo(page, key) {
  await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
}

const steps = {
  async rows(page) {
    await page.goto(job.origin + job.list);
    for (const [key, row] of [["j", 0], ["j", 1], ["j", 2], ["k", 1], ["k", 0], ["k", 0]]) {
      await page.keyboard.press(key);
      expect(page, await focusedRow(page) === row, `after ${key} the focus is on row ${await focusedRow(page)}, not ${row}`);
    }
    await page.keyboard.press("j");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    expect(page, ring !== "none", "a row that a key has led to has no ring");
    const second = (await hrefs(page))[1];
    await pressAndGo(page, "Enter");
    expect(page, page.url() === second, `Enter opens ${page.url()}, not ${second}`);
    await page.goto(job.origin + job.list);
    const { length } = await hrefs(page);
    await page.locator(ROWS).last().focus();
    await page.keyboard.press("j");
    expect(page, await focusedRow(page) === length - 1, "j goes beyond the last row");
  },

  async pages(page) {
    await page.goto(job.origin + job.list);
    const first = await hrefs(page);
    await pressAndGo(page, "]");
    const second = await hrefs(page);
    expect(page, second.length > 0 && !second.some((href) => first.includes(href)), "] does not lead to the next page");
    await pressAndGo(page, "[");
    expect(page, String(await hrefs(page)) === String(first), "[ does not lead back");
    const here = page.url();
    await page.keyboard.press("[");
    expect(page, page.url() === here, "[ leads somewhere on the first page");
  },

  async search(page) {
    for (const path of [job.list, job.person]) {
      await page.goto(job.origin + path);
      await page.keyboard.press("/");
      expect(page, await isFocused(page, "#q"), "/ does not lead to the search");
      await page.keyboard.type("j/k?[]");
      expect(page, await page.inputValue("#q") === "j/k?[]", `typing gives ${await page.inputValue("#q")}`);
      expect(page, await isFocused(page, "#q") && !await isHelpOpen(page), "keys do something while one types");
    }
  },

  async modifiers(page) {
    await page.goto(job.origin + job.list);
    for (const modifier of ["Control", "Alt", "Meta"]) {
      await page.keyboard.press(`${modifier}+j`);
      expect(page, await focusedRow(page) === -1, `${modifier}+j is taken for j`);
    }
  },

  async help(page) {
    await page.goto(job.origin + job.list);
    expect(page, await page.locator(".hint").isVisible(), "nothing tells of the keys");
    await page.keyboard.press("?");
    expect(page, await isHelpOpen(page), "? does not show the help");
    expect(page, await page.getByRole("dialog", { name: "Keys" }).count() === 1, "the help has no name");
    await page.keyboard.press("j");
    expect(page, await focusedRow(page) === -1, "keys do something below the help");
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, help } of violations) report("the help", "", `${id}: ${help}`);
    await page.keyboard.press("Escape");
    expect(page, !await isHelpOpen(page), "Escape does not close the help");
    await page.keyboard.press("?");
    await page.getByRole("button", { name: "Close" }).click();
    expect(page, !await isHelpOpen(page), "Close does not close the help");
  },

  async popovers(page) {
    await page.goto(job.origin + job.list);
    for (const selector of [".filters details.pop", "details.me"]) {
      const popover = page.locator(selector).first();
      const isOpen = () => popover.evaluate((details) => details.open);
      await popover.locator("summary").click();
      await popover.locator(".sheet").click({ position: { x: 2, y: 2 } });
      expect(page, await isOpen(), `a click inside ${selector} closes it`);
      await page.keyboard.press("Escape");
      expect(page, !await isOpen(), `Escape leaves ${selector} open`);
      await popover.locator("summary").press("Enter");
      await popover.locator("input, button, a").last().focus();
      await page.keyboard.press("Escape");
      const isBack = await popover.evaluate((details) => document.activeElement === details.querySelector("summary"));
      expect(page, !await isOpen() && isBack, `Escape does not lead back to where ${selector} was opened`);
      await popover.locator("summary").click();
      await page.locator("h1").click();
      expect(page, !await isOpen(), `a click elsewhere leaves ${selector} open`);
    }
    await page.goto(job.origin + job.person);
    const data = page.locator("details.more").first();
    await data.locator("summary").click();
    await page.locator("h1").click();
    await page.keyboard.press("Escape");
    expect(page, await data.evaluate((details) => details.open), "a part of the page closes by itself");
  },

  async copying(page) {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    for (const [path, value, text] of [[job.person, `uid ${job.uid}`, job.uid], [job.person, "user id", null], [job.entry, "request id", null]]) {
      await page.goto(job.origin + path);
      const values = await page.locator("[data-copy]").count();
      expect(page, values > 0 && await page.locator(".copy").count() === values, "not every id has a button beside it");
      const button = page.getByRole("button", { name: new RegExp(`^Copy ${value}`) }).first();
      const wanted = text ?? await page.locator(`[data-copy="${value}"]`).first().innerText();
      const said = page.locator("p[role=status]").last();
      expect(page, await said.innerText() === "", "something is said before anything was copied");
      await button.click();
      await page.getByRole("button", { name: new RegExp(`^Copied ${value}`) }).waitFor({ timeout: 5000 });
      expect(page, await said.innerText() === "Copied", "a screen reader hears nothing of it");
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(page, copied === wanted, `copies ${copied}, not ${wanted}`);
      await button.waitFor({ timeout: 5000 });
    }
  },

  async switchedOff(page) {
    await page.goto(`${job.origin}/admin/preferences`);
    await page.getByRole("group", { name: "Keyboard shortcuts" }).getByLabel("Off").check();
    await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: "Save" }).click()]);
    await page.goto(job.origin + job.list);
    const here = page.url();
    for (const key of ["j", "/", "?", "]"]) await page.keyboard.press(key);
    expect(page, await isFocused(page, "body") && page.url() === here, "keys that are switched off do something");
    expect(page, await page.locator("#keys, .hint, .find kbd").count() === 0, "keys that are switched off are shown");
    const popover = page.locator("details.pop").first();
    await popover.locator("summary").click();
    await page.keyboard.press("Escape");
    expect(page, !await popover.evaluate((details) => details.open), "Escape closes nothing while keys are off");
    await page.goto(`${job.origin}/admin/preferences`);
    await page.getByRole("group", { name: "Keyboard shortcuts" }).getByLabel("On").check();
    await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: "Save" }).click()]);
    await page.keyboard.press("/");
    expect(page, await isFocused(page, "#q"), "keys do nothing once they are on again");
  },

  async withoutScript(page) {
    const context = await open(page.context().browser(), { visitor: job.visitor, script: false });
    const plain = await context.newPage();
    for (const path of [job.list, job.person]) {
      await plain.goto(job.origin + path);
      expect(plain, await plain.locator(".copy").count() === 0, "there are buttons that only script could serve");
      for (const hint of await plain.locator(".hint, .find kbd, #keys").all()) {
        expect(plain, !await hint.isVisible(), "keys are offered that only script could serve");
      }
    }
    await context.close();
  },
};

export default async function useKeys(browser) {
  const done = [];
  for (const [name, step] of Object.entries(steps)) {
    const context = await open(browser, { visitor: job.visitor });
    await context.addInitScript({ path: AXE });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complain = (what) => report(local(page.url()), name, `the browser says: ${what}`);
    page.on("pageerror", (error) => complain(error.message));
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complain(message.text()); });
    try {
      await step(page);
    } catch (error) {
      report(local(page.url()), name, error.message);
    }
    await context.close();
    done.push(name);
  }
  return { steps: done };
}
