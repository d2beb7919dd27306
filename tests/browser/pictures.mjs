// Takes pictures of pages. Beside what harness.mjs says, the job has
//   looks    [{width, theme}]
//   folder   where the pictures go, NAME-WIDTH-THEME.png
//   pages    [{name, visitor, path}]
// The report has taken: how many there are.

import { join } from "node:path";
import { job, open, report, text } from "./harness.mjs";

const MOST_HEIGHT = 1200;

export default async function takePictures(browser) {
  let taken = 0;
  for (const look of job.looks) {
    for (const { name, visitor, path } of job.pages) {
      const context = await open(browser, { ...look, visitor });
      const page = await context.newPage();
      const answer = await page.goto(job.origin + path);
      if (!answer.ok()) report(path, text({ ...look, visitor }), `answers ${answer.status()}`);
      const picture = { path: join(job.folder, `${name}-${look.width}-${look.theme}.png`) };
      // Narrow pages as a telephone shows them, with the menu at the foot; of the others no more than what tells something.
      if (look.width > 1000) {
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ width: look.width, height: Math.min(height, MOST_HEIGHT) });
      }
      await page.screenshot(picture);
      taken += 1;
      await context.close();
    }
  }
  return { taken };
}
