// node page_test.mjs SAMPLE [SCREENSHOT_DIR]: what a report page does in a browser. SAMPLE makes the pages.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser, openPage } from "./browser.mjs";

const [sample, shots] = process.argv.slice(2);
const browser = await openBrowser();
const folder = mkdtempSync(join(tmpdir(), "sluice-page-files-"));
const calm = join(folder, "calm.html");
const hostile = join(folder, "hostile.html");
const large = join(folder, "large.html");
execFileSync(sample, [calm]);
execFileSync(sample, [hostile, "--hostile"]);
execFileSync(sample, [large, "--rows", "100000"]);

const tests = [];
const test = (name, body, options = {}) => tests.push({ name, body, options });
const wide = { viewport: { width: 1280, height: 900 } };
const phone = { viewport: { width: 375, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

// Pixels of a canvas as counts: of all colours, of the centres' red, and the ground's share.
const canvasFacts = (selector) => `(() => {
  const canvas = document.querySelector(${JSON.stringify(selector)});
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colors = new Set(); let red = 0, white = 0;
  for (let i = 0; i < data.length; i += 4) {
    colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    if (data[i] > 190 && data[i + 1] < 45 && data[i + 2] < 45) ++red;
  }
  return { colors: colors.size, red };
})()`;

async function shoot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

async function noOverflow(page) {
  const size = await page.evaluate(() => ({ content: document.documentElement.scrollWidth, window: window.innerWidth }));
  assert.ok(size.content <= size.window, `content ${size.content} px wide in a window of ${size.window}`);
}

for (const scheme of ["light", "dark"]) {
  test(`draws everything, ${scheme}`, async (context) => {
    const { page, faults } = await openPage(context, calm);
    const facts = await page.evaluate(canvasFacts(".scatter canvas"));
    assert.ok(facts.colors > 30, `the scatter has ${facts.colors} colours`);
    assert.ok(facts.red > 9 * 25, `the centres have ${facts.red} red pixels`);
    assert.equal(await page.locator(".curve svg .line").count() >= 3, true);
    assert.equal(await page.locator(".sheet canvas").count(), 48);
    assert.equal(await page.locator(".answer.lit").count(), 1);
    assert.match(await page.locator(".scatter").innerText(), /1 row has no place here/);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = Number(/\d+/.exec(ground)[0]);
    assert.ok(scheme === "light" ? light > 200 : light < 60, `ground ${ground}`);
    await noOverflow(page);
    await shoot(page, scheme);
    assert.deepEqual(faults, []);
  }, { ...wide, colorScheme: scheme });
}

test("hostile text is shown as text and does nothing", async (context) => {
  const { page, faults } = await openPage(context, hostile);
  await page.locator(".scatter canvas").hover({ position: { x: 300, y: 300 } });
  await page.locator(".curve svg").first().hover();
  for (const sorter of await page.locator(".sorter").all()) if (await sorter.isVisible()) await sorter.click();
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate("window.hit"), undefined);
  assert.equal(await page.locator("img, iframe, object, embed, form, base, svg[onload]").count(), 0);
  assert.equal(await page.locator("script").count(), 2);
  const evil = `</script><script>window.hit=1;alert(1)</script><img src=x onerror="window.hit=2">'"&amp;`;
  for (const place of [".lead", ".facts dt", ".flow .name", ".flow .decision p", ".bars th", ".curve-legend li", "td, tbody th", ".account th", ".pairs dd", ".group-name", ".text p"]) {
    const texts = await page.locator(place).allTextContents();
    assert.ok(texts.some((text) => text.includes(evil)), `${place} does not show the text`);
  }
  const style = `</style></title><svg onload=alert(2)>`;
  assert.ok((await page.title()).startsWith(style));
  assert.ok((await page.locator(".entry-name").allTextContents()).some((text) => text.startsWith(style)));
  assert.ok((await page.locator(".curve svg text").allTextContents()).some((text) => text.includes(evil)));
  await noOverflow(page);
  await shoot(page, "hostile");
  assert.deepEqual(faults, []);
}, wide);

test("a phone's width is enough", async (context) => {
  for (const [file, name] of [[calm, "phone"], [hostile, "phone_hostile"]]) {
    const { page, faults } = await openPage(context, file);
    await noOverflow(page);
    await shoot(page, name);
    assert.deepEqual(faults, []);
  }
}, phone);

test("the scatter zooms, moves, names rows and hides clusters", async (context) => {
  const { page, faults } = await openPage(context, calm);
  const canvas = page.locator(".scatter canvas");
  await canvas.scrollIntoViewIfNeeded();
  await page.waitForTimeout(500);
  const look = () => canvas.evaluate((c) => c.toDataURL());
  const whole = await look();
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(150);
  const near = await look();
  assert.notEqual(near, whole, "the wheel does nothing");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 80, box.y + box.height / 2 + 30, { steps: 3 });
  await page.mouse.up();
  await page.waitForTimeout(150);
  assert.notEqual(await look(), near, "dragging does nothing");
  await page.getByLabel("Show everything").click();
  await page.mouse.move(5, 5);
  await page.waitForTimeout(150);
  assert.equal(await look(), whole, "showing everything does not lead back");
  const red = (await page.evaluate(canvasFacts(".scatter canvas"))).red;
  await page.getByLabel("Hide all clusters").click();
  await page.waitForTimeout(150);
  assert.equal((await page.evaluate(canvasFacts(".scatter canvas"))).red, 0);
  await page.getByLabel("Show all clusters").click();
  await page.waitForTimeout(150);
  assert.equal((await page.evaluate(canvasFacts(".scatter canvas"))).red, red);
  let named = "";
  for (let x = 0.3; x < 0.7 && !named; x += 0.02) {
    await page.mouse.move(box.x + box.width * x, box.y + box.height * 0.5);
    if (await page.locator(".tip").isVisible()) named = await page.locator(".tip").innerText();
  }
  assert.match(named, /row [\d,]+/);
  assert.match(named, /cluster \d|noise/);
  await canvas.focus();
  await page.keyboard.press("+");
  await page.waitForTimeout(150);
  assert.notEqual(await look(), whole, "the plus key does nothing");
  assert.deepEqual(faults, []);
}, wide);

test("tables sort by number, dashes last, and back", async (context) => {
  const { page, faults } = await openPage(context, calm);
  const table = page.locator("section.table").first();
  const column = () => table.locator("tbody tr td:nth-child(5)").allTextContents();
  const before = await column();
  const sorter = table.locator(".sorter").nth(4);
  const value = (text) => (text === "\u2013" ? Infinity : Number(text));
  await sorter.click();
  const up = await column();
  assert.deepEqual(up, [...up].sort((a, b) => value(a) - value(b)));
  await sorter.click();
  const down = await column();
  assert.equal(down.at(-1), "\u2013");
  assert.deepEqual(down.slice(0, -1), up.slice(0, -1).reverse());
  await sorter.click();
  assert.deepEqual(await column(), before);
  assert.deepEqual(faults, []);
}, wide);

test("100,000 rows are drawn fast", async (context) => {
  const { page, faults } = await openPage(context, large);
  const canvas = page.locator(".scatter canvas");
  await canvas.scrollIntoViewIfNeeded();
  const spent = await page.evaluate(async () => {
    const at = document.querySelector(".scatter canvas");
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await frame();
    const start = performance.now();
    for (let i = 0; i < 10; ++i) {
      at.dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "-" : "+", bubbles: true }));
      await frame();
    }
    return (performance.now() - start) / 10;
  });
  console.log(`  ${spent.toFixed(1)} ms a frame`);
  assert.ok(spent < 500, `${spent} ms a frame`);
  assert.deepEqual(faults, []);
}, wide);

test("figures, tables, bars and the flow read without a script", async (context) => {
  const { page } = await openPage(context, calm);
  const text = await page.locator("body").innerText();
  for (const part of ["998,985", "cluster structure?", "near-duplicate of a kept row", "vibration", "9f86d081884c7d65", "140,000 rows", "k-means++"]) {
    assert.ok(text.includes(part), `no "${part}"`);
  }
  await shoot(page, "noscript");
}, { ...wide, javaScriptEnabled: false });

test("paper is light and has everything", async (context) => {
  const { page, faults } = await openPage(context, calm);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(253, 253, 251)");
  const corner = await page.evaluate(() => [...document.querySelector(".scatter canvas").getContext("2d").getImageData(80, 40, 1, 1).data]);
  assert.ok(corner[0] > 200, `the scatter's ground on paper is ${corner}`);
  if (shots) await page.pdf({ path: join(shots, "print.pdf") });
  assert.deepEqual(faults, []);
}, { ...wide, colorScheme: "dark" });

test("names no address but that of SVG", async () => {
  for (const file of [calm, hostile, large]) {
    const page = readFileSync(file, "utf8").replaceAll("http://www.w3.org", "");
    assert.equal(page.includes("http"), false, file);
  }
});

let failed = 0;
for (const { name, body, options } of tests) {
  const context = await browser.start(options);
  try {
    await body(context);
    console.log(`ok      ${name}`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}\n${error.stack}`);
  } finally {
    await context.close();
  }
}
browser.remove();
rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
