// Drives headless Chromium for tests/it/support/chromium.rs: one browser for many jobs, since starting it takes longer than most of
// them. Each line of standard input is {script, job}; each line of standard output the report on one, in the same order. Ends when
// the input does, even in the middle of a job: whoever sent it is gone.
//
//   node run.mjs PROGRAM    PROGRAM is the browser's

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { reportOn } from "./harness.mjs";

// Chromium must not look for the network of its maker.
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const browser = await chromium.launch({ executablePath: process.argv[2], args: FLAGS });

async function end(status) {
  await browser.close();
  process.exit(status);
}

let last = Promise.resolve();
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { script, job } = JSON.parse(line);
    last = last.then(async () => console.log(JSON.stringify(await reportOn(browser, script, job)))).catch((error) => {
      console.error(error);
      return end(1);
    });
  })
  .on("close", () => end(0));
