// Does what staff do, by clicks and keys, in headless Chromium with JavaScript switched off. Beside what harness.mjs says, the job has
//   task     the name of a function below
//   visitor  who does it
//   given    what the task is about
// The report has clicks, keys, loads: how much it took (text that is typed or pasted counts nothing, Enter counts as a key);
// path: where it ended; and says: the text of the main part there.

import { job, local, open, report } from "./harness.mjs";

/** Somebody's hand, counted. */
class Hand {
  clicks = 0;
  keys = 0;
  loads = 0;

  constructor(page) {
    this.page = page;
    page.on("response", (answer) => {
      const request = answer.request();
      const isPage = request.isNavigationRequest() && request.frame() === page.mainFrame();
      if (isPage && (answer.status() < 300 || answer.status() >= 400)) this.loads += 1;
    });
  }

  /** Starts on this page; that is not counted. */
  async startOn(path) {
    await this.page.goto(job.origin + path);
    [this.clicks, this.keys, this.loads] = [0, 0, 0];
  }

  async click(target) {
    this.clicks += 1;
    await target.click();
    await this.page.waitForLoadState("load");
  }

  async type(target, text) {
    await this.click(target);
    // In place of what is there.
    await target.selectText();
    await target.pressSequentially(text);
  }

  async enter() {
    this.keys += 1;
    await Promise.all([this.page.waitForNavigation(), this.page.keyboard.press("Enter")]);
  }

  button = (name) => this.page.getByRole("button", { name });
  link = (name) => this.page.getByRole("link", { name });

  async find(text) {
    await this.type(this.page.getByRole("searchbox"), text);
    await this.enter();
  }

  /** Fills the reason in, and does it. */
  async because(reason, name) {
    await this.type(this.page.getByLabel("Reason"), reason);
    await this.click(this.button(name));
  }
}

const tasks = {
  /** S1, S2, S3, S4: from any page to a user's, by what is typed. */
  async find(hand, { from, typed }) {
    await hand.startOn(from);
    await hand.find(typed);
  },

  /** S5: whether the stored access token still works. */
  async check(hand, { page }) {
    await hand.startOn(page);
    await hand.click(hand.button(/^Check with/).first());
  },

  /** S6: who signed up with a provider in the last days. */
  async signedUpWith(hand, { from, provider }) {
    await hand.startOn(from);
    await hand.click(hand.link(/^Providers/).first());
    await hand.click(hand.page.getByRole("main").getByRole("link", { name: provider, exact: true }));
    await hand.click(hand.link(/in the last 7 days/));
  },

  /** S7: a file for a colleague. */
  async export(hand, { page, format }) {
    await hand.startOn(page);
    await hand.click(hand.page.locator("summary", { hasText: "Export" }));
    const [file] = await Promise.all([hand.page.waitForEvent("download"), hand.click(hand.link(format))]);
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    return { file: Buffer.concat(chunks).toString() };
  },

  /** A1: from any page. */
  async unlink(hand, { from, typed, reason, isLast }) {
    await hand.startOn(from);
    await hand.find(typed);
    await hand.click(hand.link(/^Unlink/).first());
    const asked = await hand.page.getByRole("main").innerText();
    if (isLast) await hand.click(hand.page.getByLabel(/no way to sign in/));
    await hand.because(reason, /^Unlink/);
    return { asked };
  },

  /** A2: one click, in the notice or further down on the page. */
  async undo(hand, { from, typed, reason, throughNotice, page }) {
    if (throughNotice) {
      await tasks.unlink(hand, { from, typed, reason, isLast: true });
      [hand.clicks, hand.keys, hand.loads] = [0, 0, 0];
      await hand.click(hand.page.locator(".notice").getByRole("button", { name: "Undo" }));
    } else {
      await hand.startOn(page);
      await hand.click(hand.page.locator("main li").getByRole("button", { name: /^Undo/ }));
    }
  },

  /** A3 */
  async deactivate(hand, { from, typed, reason }) {
    await hand.startOn(from);
    await hand.find(typed);
    await hand.click(hand.link(/^Deactivate/));
    await hand.because(reason, /^Deactivate/);
  },

  /** A4 */
  async revokeOne(hand, { page }) {
    await hand.startOn(page);
    await hand.click(hand.link(/^Revoke .*session \d/).first());
    await hand.click(hand.page.getByRole("main").getByRole("button"));
  },

  async revokeAll(hand, { page }) {
    await hand.startOn(page);
    await hand.click(hand.link(/^Revoke all/));
    await hand.click(hand.page.getByRole("main").getByRole("button"));
  },

  /** A5, after the unlink. */
  async ticket(hand, { page, user, reason }) {
    await hand.startOn(page);
    await hand.click(hand.link(/^Associate on next sign-in/));
    await hand.type(hand.page.locator("#user"), user);
    await hand.because(reason, /^Associate/);
  },
};

export default async function doTask(browser) {
  const context = await open(browser, { visitor: job.visitor, script: false });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const hand = new Hand(page);
  let found = {};
  try {
    found = await tasks[job.task](hand, job.given) ?? {};
  } catch (error) {
    report(local(page.url()), "", `${error.message}\n${await page.locator("body").innerText()}`);
  }
  const { clicks, keys, loads } = hand;
  const says = await page.getByRole("main").innerText();
  const path = local(page.url());
  await context.close();
  return { ...found, clicks, keys, loads, path, says };
}
