// node report_picture.mjs REPORT.html OUT.png: the README's picture, a report's flow with the scatter below it; what stands between the two on
// the page is left out. Exit 77 where there is no browser.
import { resolve } from "node:path";
import { openBrowser, openPage } from "../tests/page/browser.mjs";

const [report, out] = process.argv.slice(2);
const browser = await openBrowser();
const context = await browser.start({ viewport: { width: 1100, height: 1500 }, colorScheme: "light" });
let faults = [];
try {
  const opened = await openPage(context, resolve(report));
  faults = opened.faults;
  const height = await opened.page.evaluate(() => {
    const flow = document.querySelector("section.flow");
    const scatter = document.querySelector("section.scatter");
    if (!flow || !scatter) throw new Error("the report has no flow or no scatter");
    const keep = (node) => node.contains(flow) || node.contains(scatter) || flow.contains(node) || scatter.contains(node);
    for (const node of document.querySelectorAll("main *")) if (!keep(node)) node.style.display = "none";
    return Math.ceil(scatter.getBoundingClientRect().bottom + window.scrollY) + 24;
  });
  await opened.page.setViewportSize({ width: 1100, height });
  await opened.page.waitForTimeout(300);
  await opened.page.screenshot({ path: out });
} finally {
  await context.close();
  browser.remove();
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
