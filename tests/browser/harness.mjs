// What the scripts beside this one share: the job, windows, and the report.
//
// All jobs have
//   origin    where the service answers, such as http://127.0.0.1:8000
//   visitors  {name: [{name, value}]}: the cookies of each browser that somebody is signed in with
// A report has problems: [{path, look, what}], and what the script gives.

export const HEIGHT = 900;

/** The job at hand. */
export let job = null;
let problems = [];
let times = [];

/** Does the work of `script` for a job; gives the report. */
export async function reportOn(browser, script, asked) {
  [job, problems, times] = [asked, [], []];
  const { default: work } = await import(new URL(script, import.meta.url));
  return { ...await work(browser), problems, times };
}

/** Notes what is wrong with a page, in which look; "" where it does not depend on one. */
export function report(path, look, what) {
  problems.push({ path, look, what });
}

/** Does `work`, and notes how long it took. */
export async function timed(what, work) {
  const started = performance.now();
  const result = await work();
  times.push({ what, ms: Math.round(performance.now() - started) });
  return result;
}

/** A window of a visitor's own, with nothing kept from others. */
export async function open(browser, { visitor, width = 1280, height = HEIGHT, theme = "light", script = true, ...more }) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce", javaScriptEnabled: script, ...more,
  });
  const { hostname } = new URL(job.origin);
  const cookies = job.visitors[visitor];
  await context.addCookies(cookies.map(({ name, value }) => ({ name, value, domain: hostname, path: "/" })));
  return context;
}

/** The address without its origin. */
export const local = (url) => url.slice(job.origin.length);

/** How a look is called in reports. */
export const text = ({ width, theme, visitor }) => `${width} ${theme} ${visitor}`;
