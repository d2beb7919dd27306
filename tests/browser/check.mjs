// Looks at the staff pages and says what is wrong with them. Beside what harness.mjs says, the job has
//   policy   the Content-Security-Policy of every answer
//   looks    [{width, theme, visitor, opens_each}]: each page is looked at in each of them. In the first the pages are found, by
//            their links; where a visitor may not see a page, the first look's does. What opens is opened one by one, or all at once
//   is_brief whether widths and the keyboard are left out
//   start    paths to begin with
//   most     so many pages at most are found
//   scenes   [{visitor, path, fill: {selector: value}, press, status}]: pages that no link leads to, such as a form in error. `press`
//            is what is pressed once the fields are filled in; `once` where it works a single time. In the first look;
//            what comes of pressing in the second, too
//   are_errors  whether the scenes are pages of errors, which name the request and have a way on
// The report has pages: [{path, title}], each looked at, and read: how many more were read as text alone.
//
// Ids in paths stand for each other, and parameters do not make another page: of each kind one is looked at, two where they vary. Of
// the others the markup is read.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { HtmlValidate } from "html-validate";
import { HEIGHT, job, local, open, report, text, timed } from "./harness.mjs";

const require = createRequire(import.meta.url);
const AXE = require.resolve("axe-core/axe.min.js");
const IN_PAGE = fileURLToPath(new URL("in_page.js", import.meta.url));
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDTHS = [320, 360, 390, 600, 768, 999, 1001, 1152, 1280, 1600];
// Of a page in another state, around where the layout changes.
const FEW_WIDTHS = [320, 999, 1152];
// 1280 x 1024 at 400 %.
const ZOOMED = { width: 320, height: 256 };
// The page, its styles and its script.
const MOST_REQUESTS = 3;
const MOST_BYTES = 100_000;
const MOST_PRESSES = 120;
const WINDOWS = 2;
// Kinds of pages that show one thing or another.
const VARYING = ["/admin/users/N", "/admin/providers/N"];

// `standard` minus what the templates decide otherwise on purpose.
const markup = new HtmlValidate({
  root: true,
  extends: ["html-validate:standard"],
  rules: {
    // askama writes neither; both spellings are HTML.
    "doctype-style": "off",
    "void-style": "off",
    // Rows become cards on narrow screens, where tables need their roles spelt out.
    "no-redundant-role": "off",
    "prefer-native-element": "off",
    "no-trailing-whitespace": "off",
    "long-title": "off",
  },
});

const pages = new Map();
// By look, what the parts that axe has looked at open are made of.
const opened = new Map();

const pathname = (path) => new URL(path, job.origin).pathname;
const isPage = (path) => pathname(path).startsWith("/admin") && !/\/export$|\.json$/.test(pathname(path));

/** The kind of page that an address is. */
const kindOf = (path) => pathname(path).replace(/\/\d+/g, "/N").replace(/(\/providers\/)[^/]+/, "$1N");

/** The same, with the names of its parameters. */
const queryKindOf = (path) => `${kindOf(path)}?${[...new Set(new URL(path, job.origin).searchParams.keys())].sort().join("&")}`;

async function openLook(browser, look, visitor = look.visitor) {
  const context = await open(browser, { ...look, visitor });
  await context.addInitScript({ path: AXE });
  await context.addInitScript({ path: IN_PAGE });
  return listen(await context.newPage());
}

/** What the browser complains about, such as a breach of the page's policy. */
function listen(page) {
  page.on("console", (message) => {
    // That a refusal is a refusal, the status tells.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of");
    if (isStatus && message.location().url === page.url()) return;
    if (message.type() === "error" || message.type() === "warning") report(local(page.url()), "", `the browser says: ${message.text()}`);
  });
  page.on("pageerror", (error) => report(local(page.url()), "", `a script fails: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== job.origin) report(local(page.url()), "", `asks ${request.url()}`);
  });
  return page;
}

export default async function crawl(browser) {
  pages.clear();
  opened.clear();
  const read = await follow(browser, job.looks[0]);
  const found = [...pages.keys()];
  const [first, second] = job.looks;
  await Promise.all([
    ...job.looks.slice(1).map((look) => again(browser, look, found)),
    playScenes(browser, first, true),
    second ? playScenes(browser, second, false) : null,
  ]);
  checkTitles();
  return { pages: [...pages].map(([path, title]) => ({ path, title })), read };
}

/** Follows the links from the start, in several windows at the same time. */
async function follow(browser, look) {
  const queue = [...job.start];
  const known = new Set(queue);
  const looked = new Map(queue.map((path) => [kindOf(path), 1]));
  const read = new Set();
  let busy = 0;
  const take = async (page, link) => {
    if (known.has(link)) return;
    known.add(link);
    const times = looked.get(kindOf(link)) ?? 0;
    if (times < (VARYING.includes(kindOf(link)) ? 2 : 1) && !link.includes("?")) {
      looked.set(kindOf(link), times + 1);
      queue.push(link);
    } else if (!read.has(queryKindOf(link))) {
      read.add(queryKindOf(link));
      await readAsText(page, link);
    }
  };
  const work = async () => {
    const page = await openLook(browser, look);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
    while (queue.length > 0 || busy > 0) {
      const path = queue.shift();
      if (!path) {
        await new Promise((done) => { setTimeout(done, 10); });
        continue;
      }
      busy += 1;
      for (const link of await timed(`${path} first`, () => visit(page, path, look))) await take(page, link);
      busy -= 1;
      if (pages.size > job.most) throw new Error(`more than ${job.most} pages; the crawl does not end`);
    }
    await page.context().close();
  };
  await Promise.all(Array.from({ length: WINDOWS }, work));
  return read.size;
}

/** Another page of a kind that was looked at: answers, with sound markup. */
async function readAsText(page, path) {
  const answer = await page.request.get(job.origin + path);
  if (answer.status() !== 200) report(path, "", `answers ${answer.status()}`);
  checkHead(path, answer);
  checkMarkup(path, await answer.text());
}

/** Checks what does not depend on the look, then this look. Gives the links of the page. */
async function visit(page, path, look) {
  const requests = [];
  const note = (answer) => requests.push(answer);
  page.on("response", note);
  const answer = await page.goto(job.origin + path);
  page.off("response", note);
  if (answer.status() !== 200) report(path, "", `answers ${answer.status()}`);
  await checkRequests(path, requests);
  await checkPage(page, path, look, answer, WIDTHS);
  const links = await page.evaluate(() => [...document.querySelectorAll("a[href]")].map((link) => link.href));
  return links.filter((href) => href.startsWith(`${job.origin}/`)).map((href) => local(href).split("#")[0]).filter(isPage);
}

async function checkPage(page, path, look, answer, widths) {
  pages.set(path, await page.title());
  checkHead(path, answer);
  checkMarkup(path, await answer.text());
  const isError = answer.status() >= 400;
  for (const what of await page.evaluate((error) => latchkey.structure(error), isError)) report(path, "", what);
  if (job.is_brief) return checkLook(page, path, look);
  for (const width of widths) {
    await page.setViewportSize({ width, height: HEIGHT });
    for (const what of await page.evaluate(() => latchkey.layout())) report(path, `${width}`, what);
  }
  await page.setViewportSize({ width: look.width, height: HEIGHT });
  if (widths === WIDTHS) await walk(page, path, text(look));
  await page.setViewportSize(ZOOMED);
  await walk(page, path, "400 %");
  for (const what of await page.evaluate(() => latchkey.sheets())) report(path, "400 %", what);
  await page.setViewportSize({ width: look.width, height: HEIGHT });
  return checkLook(page, path, look);
}

async function checkLook(page, path, look) {
  const name = text(look);
  // What is the same on every page is opened on the first that is looked at.
  const parts = opened.has(name) ? "main details" : "details";
  const known = opened.get(name) ?? [];
  opened.set(name, known);
  const asked = { tags: AXE_TAGS, isNarrow: look.width <= 390, parts, isEach: look.opens_each, known };
  const seen = await page.evaluate((how) => latchkey.look(how), asked);
  known.push(...seen.known.filter((part) => !known.includes(part)));
  for (const what of seen.found) report(path, name, what);
}

/** Walks with the Tab key: the skip link comes first, then every control in its order, ringed and not covered. */
async function walk(page, path, look) {
  const stops = await page.evaluate(() => {
    document.activeElement?.blur();
    window.scrollTo(0, 0);
    getSelection().removeAllRanges();
    return latchkey.walk();
  });
  // From the top, wherever the focus was.
  await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex"); });
  for (let press = 0; press < Math.min(2 * stops, MOST_PRESSES); press += 1) {
    await page.keyboard.press("Tab");
    const { isAtEnd, found } = await page.evaluate(() => latchkey.stop());
    for (const what of found) report(path, look, `keyboard: ${what}`);
    if (isAtEnd) return;
  }
  if (stops > 0 && stops < MOST_PRESSES / 2) report(path, look, "keyboard: the end is not reached");
}

/** Looks at all that the first look has found. */
async function again(browser, look, found) {
  const page = await openLook(browser, look);
  let other = null;
  for (const path of found) {
    await timed(`${path} ${text(look)}`, async () => {
      const answer = await page.goto(job.origin + path);
      if (answer.status() !== 403) return checkLook(page, path, look);
      other ??= await openLook(browser, look, job.looks[0].visitor);
      await other.goto(job.origin + path);
      return checkLook(other, path, look);
    });
  }
  await page.context().close();
  await other?.context().close();
}

async function playScenes(browser, look, isFirst) {
  const windows = new Map();
  for (const scene of job.scenes ?? []) {
    if (!isFirst && (scene.once || !scene.press)) continue;
    if (!windows.has(scene.visitor)) windows.set(scene.visitor, await openLook(browser, look, scene.visitor));
    await timed(`${scene.path} ${scene.status} ${text(look)}`, () => play(windows.get(scene.visitor), scene, look, isFirst));
  }
  await Promise.all([...windows.values()].map((page) => page.context().close()));
}

async function play(page, scene, look, isFirst) {
  const title = `scene ${scene.path} ${scene.press ?? ""} ${scene.status} ${scene.visitor}`;
  let answer = await page.goto(job.origin + scene.path);
  if (scene.press) {
    await page.evaluate((fill) => {
      for (const form of document.forms) form.noValidate = true;
      for (const [selector, value] of Object.entries(fill)) {
        const field = document.querySelector(selector);
        if (field.type === "checkbox") field.checked = value; else field.value = value;
      }
      for (const details of document.querySelectorAll("main details")) details.open = true;
    }, scene.fill ?? {});
    [answer] = await Promise.all([page.waitForNavigation(), page.click(scene.press)]);
  }
  if (answer.status() !== scene.status) report(title, text(look), `answers ${answer.status()}`);
  if (job.are_errors) {
    const parts = await page.locator("main h1, main .btn[href], main code").count();
    if (parts < 3) report(title, text(look), "lacks a heading, the request's id or a way on");
  }
  if (isFirst) await checkPage(page, title, look, answer, FEW_WIDTHS);
  else await checkLook(page, title, look);
}

async function checkRequests(path, requests) {
  let bytes = 0;
  for (const answer of requests) {
    const moved = answer.status() >= 300 && answer.status() < 400;
    bytes += moved ? 0 : (await answer.body()).length;
  }
  if (requests.length > MOST_REQUESTS) report(path, "", `makes ${requests.length} requests`);
  if (bytes > MOST_BYTES) report(path, "", `is ${bytes} bytes`);
}

function checkHead(path, answer) {
  const headers = answer.headers();
  if (!headers["content-type"]?.startsWith("text/html")) report(path, "", `is ${headers["content-type"]}, and not a page`);
  if (headers["content-security-policy"] !== job.policy) report(path, "", `has the policy ${headers["content-security-policy"]}`);
}

function checkMarkup(path, html) {
  const { results } = markup.validateStringSync(html, path);
  for (const { line, column, message, ruleId } of results.flatMap((result) => result.messages)) {
    report(path, "", `line ${line}:${column}: ${message} (${ruleId})`);
  }
  for (const [pattern, what] of [
    [/\sstyle\s*=/i, "an inline style"], [/\son[a-z]+\s*=\s*["']/i, "an inline handler"], [/<style/i, "a style element"],
    [/<script(?![^>]*\ssrc=)/i, "an inline script"], [/javascript:/i, "a javascript: address"], [/["'(]data:/i, "a data: address"],
  ]) {
    if (pattern.test(html)) report(path, "", `has ${what}`);
  }
}

/** Pages of different kinds have different titles. */
function checkTitles() {
  const titles = new Map();
  for (const [path, title] of pages) {
    if (path.startsWith("scene ")) continue;
    const other = titles.get(title);
    if (other && kindOf(other) !== kindOf(path)) report(path, "", `has the title of ${other}: ${title}`);
    titles.set(title, path);
  }
}
