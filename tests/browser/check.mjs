// Looks at the staff pages in headless Chromium and says what is wrong with them.
//
// Standard input: one JSON object, the job.
//   origin       where the service answers, such as http://127.0.0.1:8000
//   chromium     the browser's program
//   cookies      [{name, value}] of a signed-in member of staff
//   start        paths to begin with; links on the pages are followed from there
//   looks        [{width, theme}] in which each page is looked at
//   most         so many pages at most
//   screenshots  {folder, pages: [{name, path}]}: pictures instead of checks
// Standard output: one JSON object {pages: [{path, title}], problems: [{path, look, what}]}.
//
// Of each kind of page two are looked at, with parameters one: ids in paths stand for each other, and so do values of parameters.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { HtmlValidate } from "html-validate";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDTHS = [320, 360, 390, 600, 768, 999, 1001, 1152, 1280, 1600];
const MOST_REQUESTS = 5;
const MOST_BYTES = 100_000;
const HEIGHT = 900;

// Chromium must not look for the network of its maker.
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

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

const job = JSON.parse(readFileSync(0, "utf8"));
const problems = [];
const pages = new Map();

function report(path, look, what) {
  problems.push({ path, look, what });
}

/** The kind of page that an address is. */
function kindOf(path) {
  const url = new URL(path, job.origin);
  const names = [...new Set(url.searchParams.keys())].sort();
  const pattern = url.pathname.replace(/\/\d+/g, "/N").replace(/(\/providers\/)[^/]+/, "$1N");
  return `${pattern}?${names.join("&")}`;
}

async function main() {
  const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
  try {
    await (job.screenshots ? takePictures(browser) : crawl(browser));
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify({ pages: [...pages].map(([path, title]) => ({ path, title })), problems }));
}

async function open(browser, { width, theme }) {
  const context = await browser.newContext({
    viewport: { width, height: HEIGHT },
    colorScheme: theme,
    reducedMotion: "reduce",
  });
  const { hostname } = new URL(job.origin);
  const cookies = job.cookies.map(({ name, value }) => ({ name, value, domain: hostname, path: "/" }));
  await context.addCookies(cookies);
  return context;
}

async function takePictures(browser) {
  for (const look of job.looks) {
    const context = await open(browser, look);
    const page = await context.newPage();
    for (const { name, path } of job.screenshots.pages) {
      const answer = await page.goto(job.origin + path);
      pages.set(path, await page.title());
      if (!answer.ok()) report(path, text(look), `answers ${answer.status()}`);
      const file = join(job.screenshots.folder, `${name}-${look.width}-${look.theme}.png`);
      await page.screenshot({ path: file, fullPage: true });
    }
    await context.close();
  }
}

const text = ({ width, theme }) => `${width} ${theme}`;

async function crawl(browser) {
  const [first, ...others] = job.looks;
  const queue = [...job.start];
  const seen = new Map(queue.map((path) => [kindOf(path), 1]));
  const context = await open(browser, first);
  const page = listen(await context.newPage());
  while (queue.length > 0 && pages.size < job.most) {
    const path = queue.shift();
    const links = await visit(page, path, first);
    for (const link of links) {
      const times = seen.get(kindOf(link)) ?? 0;
      // A second one of a kind may show what the first has not, such as another state. With parameters it is the same page.
      if (times < (link.includes("?") ? 1 : 2) && !queue.includes(link) && !pages.has(link)) {
        seen.set(kindOf(link), times + 1);
        queue.push(link);
      }
    }
  }
  if (queue.length > 0) report(queue[0], "", `more than ${job.most} pages; the crawl did not end`);
  await context.close();
  for (const look of others) {
    const narrow = await open(browser, look);
    const again = listen(await narrow.newPage());
    for (const path of pages.keys()) {
      await again.goto(job.origin + path);
      await checkLook(again, path, look, 1);
    }
    await narrow.close();
  }
  const titles = new Map();
  for (const [path, title] of pages) {
    const other = titles.get(title);
    // Two views of one list, or two of one kind of page, may share a title.
    if (other && new URL(other, job.origin).pathname !== new URL(path, job.origin).pathname && kindOf(other) !== kindOf(path)) {
      report(path, "", `has the title of ${other}: ${title}`);
    }
    titles.set(title, path);
  }
}

/** Checks what does not depend on the look, then this look. Gives the links of the page. */
async function visit(page, path, look) {
  const requests = [];
  const note = (answer) => requests.push(answer);
  page.on("response", note);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  const answer = await page.goto(job.origin + path);
  await page.waitForLoadState("networkidle");
  page.off("response", note);
  await cdp.detach();
  pages.set(path, await page.title());

  const type = answer.headers()["content-type"] ?? "";
  if (answer.status() >= 400) report(path, "", `answers ${answer.status()}`);
  if (!type.startsWith("text/html")) {
    report(path, "", `is ${type}, and not a page`);
    return [];
  }
  await checkRequests(path, requests);
  const html = await answer.text();
  checkMarkup(path, html);
  await checkStructure(page, path);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) report(path, `${width}`, `is ${wide} px wider than the window`);
  }
  await page.setViewportSize({ width: look.width, height: HEIGHT });
  await checkLook(page, path, look, 3);
  await page.goto(job.origin + path);
  await checkFocus(page, path, look);
  const links = await page.evaluate(() => [...document.querySelectorAll("a[href]")].map((link) => link.href));
  return links
    .map((href) => new URL(href))
    .filter((url) => url.origin === job.origin && url.pathname.startsWith("/admin") && !/\/export$|\.json$/.test(url.pathname))
    .map((url) => url.pathname + url.search);
}

/** What the browser complains about, such as a breach of the page's policy. */
function listen(page) {
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      report(page.url().slice(job.origin.length), "", `the browser says: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => report(page.url().slice(job.origin.length), "", `a script fails: ${error.message}`));
  return page;
}

async function checkRequests(path, requests) {
  let bytes = 0;
  for (const answer of requests) {
    if (new URL(answer.url()).origin !== job.origin) report(path, "", `asks ${answer.url()}`);
    const moved = answer.status() >= 300 && answer.status() < 400;
    // The browser may have dropped a body by now; then its announced length counts.
    const announced = Number(answer.headers()["content-length"] ?? 0);
    bytes += moved ? 0 : await answer.body().then((body) => body.length, () => announced);
  }
  if (requests.length > MOST_REQUESTS) report(path, "", `makes ${requests.length} requests`);
  if (bytes > MOST_BYTES) report(path, "", `is ${bytes} bytes`);
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

async function checkStructure(page, path) {
  const wrong = await page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const found = [];
    const expect = (selector, number) => {
      const { length } = all(selector);
      if (length !== number) found.push(`has ${length} of ${selector}, not ${number}`);
    };
    expect("h1", 1);
    expect("main", 1);
    if (document.querySelector("nav.nav")) expect("nav.nav [aria-current]", 1);
    if (!document.documentElement.lang) found.push("has no language");
    if (!document.title) found.push("has no title");
    for (const table of all("table")) {
      const named = table.caption || table.closest("[aria-label], [aria-labelledby]");
      if (!named) found.push(`has a table without caption: ${table.textContent.trim().slice(0, 60)}`);
      if (table.querySelectorAll("[aria-sort]").length > 1) found.push("sorts a table by several columns");
    }
    for (const time of all("time[datetime]")) {
      // A day is no instant.
      if (/^\d{4}-\d\d-\d\d$/.test(time.dateTime)) continue;
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/.test(time.dateTime)) found.push(`has the time ${time.dateTime}`);
      if (!time.title) found.push(`does not say the exact instant of ${time.textContent}`);
    }
    return found;
  });
  for (const what of wrong) report(path, "", what);
}

/**
 * What depends on width and theme: contrast and the like, with everything that opens closed, and then open one by one, as far as the
 * first `most` of it; sizes of targets.
 */
async function checkLook(page, path, look, most) {
  await checkAxe(page, path, look, "");
  await checkTargets(page, path, look);
  const folded = await page.locator("details").count();
  for (let at = 0; at < Math.min(folded, most); at += 1) {
    await page.evaluate((index) => {
      for (const [number, details] of document.querySelectorAll("details").entries()) details.open = number === index;
    }, at);
    await checkAxe(page, path, look, `, opened ${at + 1}`);
    await checkTargets(page, path, look);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) report(path, text(look), `is ${wide} px wider than the window with its part ${at + 1} opened`);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = false; }));
}

async function checkAxe(page, path, look, state) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }),
    AXE_TAGS,
  );
  for (const { id, help, nodes } of violations) {
    report(path, text(look) + state, `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
}

async function checkTargets(page, path, look) {
  const small = await page.evaluate((narrow) => {
    const found = [];
    const selector = "a[href], button, summary, select, input:not([type=hidden]), textarea, label:has(input[type=checkbox], input[type=radio])";
    for (const element of document.querySelectorAll(selector)) {
      const { width, height } = element.getBoundingClientRect();
      if (!element.checkVisibility({ visibilityProperty: true }) || width <= 1 || height <= 1) continue;
      // A link in a sentence, and a box whose label is the target.
      const style = getComputedStyle(element);
      if (element.matches("a") && style.display === "inline" && !element.closest("nav")) continue;
      if (element.matches("[type=checkbox], [type=radio]") && element.closest("label")) continue;
      // A link that is stretched over its row.
      if (getComputedStyle(element, "::after").position === "absolute") continue;
      const least = narrow && element.matches("button, .btn") ? 36 : 24;
      // Sizes come in fractions of a pixel.
      if (height < least - 0.5 || width < 23.5) {
        found.push(`${Math.round(width)} x ${Math.round(height)}: ${element.outerHTML.slice(0, 120)}`);
      }
    }
    return found;
  }, look.width <= 390);
  for (const what of small) report(path, text(look), `has a small target, ${what}`);
}

/** Walks with the Tab key: the skip link comes first, every stop is seen, ringed and not covered. */
async function checkFocus(page, path, look) {
  const stops = await page.evaluate(() => {
    const selector = "a[href], button, summary, select, textarea, input:not([type=hidden]), [tabindex='0']";
    const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled;
    return [...document.querySelectorAll(selector)].filter(shown).length;
  });
  for (let stop = 0; stop < Math.min(stops, 40); stop += 1) {
    await page.keyboard.press("Tab");
    const what = await page.evaluate((isFirst) => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      if (isFirst && document.querySelector(".skip") && !element.matches(".skip")) return "the first stop is not the skip link";
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      // The ring of a stretched link or a hidden box is drawn around what it belongs to.
      const ringed = (candidate) => candidate && getComputedStyle(candidate).outlineStyle !== "none"
        && parseFloat(getComputedStyle(candidate).outlineWidth) >= 2;
      const rings = [element, element.closest("label"), element.closest("tr"), element.closest("summary"), element.parentElement];
      if (!rings.some(ringed) && style.boxShadow === "none") return `no ring around ${element.outerHTML.slice(0, 120)}`;
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      const covered = top && !element.contains(top) && !top.contains(element) && !element.closest("label")?.contains(top);
      return covered ? `${element.outerHTML.slice(0, 100)} is covered by ${top.outerHTML.slice(0, 100)}` : null;
    }, stop === 0);
    if (what) report(path, text(look), `keyboard: ${what}`);
  }
}

await main();
