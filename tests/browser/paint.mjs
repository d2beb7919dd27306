// How pages are painted: at first, in colours that the system forces, and on paper. Beside what harness.mjs says, the job has
//   pages   [{visitor, path}]
//   ground  what is behind everything in the theme that the visitors chose, such as rgb(14, 19, 21); the system asks for the other

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { job, open, report } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const IN_PAGE = fileURLToPath(new URL("in_page.js", import.meta.url));
// A4 at 96 dots an inch.
const PAPER = { width: 794, height: 1123 };

/** The colours behind everything, from the first frame on. */
function watch() {
  globalThis.grounds = new Set();
  const note = () => {
    if (document.body) globalThis.grounds.add(getComputedStyle(document.body).backgroundColor);
    requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
}

async function prepared(browser, look) {
  const context = await open(browser, look);
  await context.addInitScript(watch);
  await context.addInitScript({ path: AXE });
  await context.addInitScript({ path: IN_PAGE });
  return context.newPage();
}

async function checkFirstPaint(page, path) {
  // A stylesheet that is long in coming, so that something could be painted before.
  await page.route("**/*.css", async (route) => {
    await new Promise((done) => { setTimeout(done, 300); });
    await route.continue();
  });
  await page.goto(job.origin + path);
  await page.waitForFunction(() => globalThis.grounds.size > 0);
  const grounds = await page.evaluate(() => [...globalThis.grounds]);
  if (grounds.join() !== job.ground) report(path, "first paint", `has the grounds ${grounds.join(" then ")}, not ${job.ground} alone`);
}

async function checkContrast(page, path, look) {
  const found = await page.evaluate(() => latchkey.contrasts());
  for (const what of found) report(path, look, what);
}

async function checkPaper(page, path) {
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize(PAPER);
  for (const what of await page.evaluate(() => latchkey.paper())) report(path, "paper", what);
}

export default async function checkPaint(browser) {
  for (const { visitor, path } of job.pages) {
    const page = await prepared(browser, { visitor, theme: "light" });
    await checkFirstPaint(page, path);
    await checkPaper(page, path);
    await page.context().close();
    for (const theme of ["light", "dark"]) {
      const forced = await prepared(browser, { visitor, theme, forcedColors: "active" });
      await forced.goto(job.origin + path);
      await checkContrast(forced, path, `forced colours, ${theme}`);
      await forced.context().close();
    }
  }
}
