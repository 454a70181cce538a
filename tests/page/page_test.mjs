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
    assert.ok((await page.locator(".histogram-plot .beyond").count()) > 10);
    assert.equal(await page.locator(".tree-plot .name").count(), 10);
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
  for (const place of [".lead", ".facts dt", ".flow .name", ".flow .decision p", ".bars th", ".curve-legend li", "td, tbody th", ".account th", ".pairs dd", ".group-name", ".text p", ".histogram-plot .mark-name", ".tree .axis-name", ".tree .note", ".search option"]) {
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
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(150);
  await page.mouse.dblclick(box.x + box.width / 3, box.y + box.height / 3);
  await page.mouse.move(5, 5);
  await page.waitForTimeout(150);
  assert.equal(await look(), whole, "a double click does not lead back");
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

test("ellipses are drawn and go with their cluster", async (context) => {
  const { page, faults } = await openPage(context, calm);
  const canvas = page.locator(".scatter canvas");
  const look = () => canvas.evaluate((c) => c.toDataURL());
  await page.getByLabel("Hide all clusters").click();
  await page.mouse.move(5, 5);
  await page.waitForTimeout(150);
  const empty = await look();
  const entry = page.locator(".legend button", { hasText: "cluster 1" });
  await entry.click();
  await page.mouse.move(5, 5);
  await page.waitForTimeout(150);
  const dark = await canvas.evaluate((c) => {
    // Of cluster 1 (orange): pixels of the line's colour, a third of the way to the text's.
    const data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - 164) < 12 && Math.abs(data[i + 1] - 117) < 12 && data[i + 2] < 40) ++count;
    return count;
  });
  assert.ok(dark > 60, `${dark} pixels of the ellipses' line`);
  await entry.click();
  await page.mouse.move(5, 5);
  await page.waitForTimeout(150);
  assert.equal(await look(), empty, "the ellipses stay when their cluster is hidden");
  assert.deepEqual(faults, []);
}, { ...wide, colorScheme: "light" });

test("two fingers zoom", async (context) => {
  const { page, faults } = await openPage(context, calm);
  const canvas = page.locator(".scatter canvas");
  await canvas.scrollIntoViewIfNeeded();
  const look = () => canvas.evaluate((c) => c.toDataURL());
  const whole = await look();
  const box = await canvas.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const client = await context.newCDPSession(page);
  const touch = (type, apart) => client.send("Input.dispatchTouchEvent", { type, touchPoints: apart === 0 ? [] : [{ x: x - apart, y, id: 0 }, { x: x + apart, y, id: 1 }] });
  await touch("touchStart", 20);
  for (const apart of [30, 45, 60, 80]) await touch("touchMove", apart);
  await touch("touchEnd", 0);
  await page.waitForTimeout(200);
  assert.notEqual(await look(), whole, "pinching does nothing");
  assert.equal(await page.evaluate(() => visualViewport.scale), 1, "the page zoomed instead");
  assert.deepEqual(faults, []);
}, phone);

test("a box filters the rows of a long table", async (context) => {
  const { page, faults } = await openPage(context, calm);
  const section = page.locator("section", { has: page.locator("table[data-search]") });
  const rows = section.locator("tbody tr");
  const found = section.locator(".found");
  const box = section.getByLabel("Search the rows");
  assert.equal(await found.innerText(), "3,000 rows");
  assert.ok((await rows.count()) < 400, "all rows stand in the page");
  await box.fill("VIBRATION, 23");
  assert.equal(await found.innerText(), "1 of 3,000 rows");
  assert.match(await rows.first().innerText(), /vibration, 23 deviations out/);
  await section.getByLabel("Column to search in").selectOption({ label: "score" });
  assert.equal(await found.innerText(), "0 of 3,000 rows");
  await section.getByLabel("Column to search in").selectOption({ label: "why" });
  await box.fill("humidity");
  const all = Number(/^([\d,]+) of/.exec(await found.innerText())[1].replace(",", ""));
  assert.ok(all > 500 && all < 1000, `${all} rows of four kinds in 3,000`);
  // Sorting keeps the filter, and what is further down comes as one scrolls.
  await section.locator(".sorter").first().click();
  assert.match(await found.innerText(), new RegExp(`^${all} of`));
  while ((await rows.count()) < all) {
    const before = await rows.count();
    await section.locator(".scroll").evaluate((s) => (s.scrollTop = s.scrollHeight));
    await page.waitForTimeout(60);
    assert.ok((await rows.count()) > before, "scrolling brings no more rows");
  }
  const numbers = (await section.locator("tbody tr td:first-child").allTextContents()).map((text) => Number(text.replaceAll(",", "")));
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
  const spent = await page.evaluate(() => {
    const input = document.querySelector(".search input");
    const start = performance.now();
    for (const text of ["v", "vi", "vib", "vibr", ""]) {
      input.value = text;
      input.dispatchEvent(new Event("input"));
      document.querySelector(".search").nextElementSibling.offsetHeight;
    }
    return (performance.now() - start) / 5;
  });
  console.log(`  ${spent.toFixed(1)} ms a letter typed, 3,000 rows`);
  await box.fill("");
  assert.equal(await found.innerText(), "3,000 rows");
  await page.emulateMedia({ media: "print" });
  await page.waitForTimeout(200);
  assert.equal(await rows.count(), 3000, "paper lacks rows");
  assert.deepEqual(faults, []);
}, wide);

// Says how long a frame takes while the wheel turns, and how long finding the row pointed at. No bound: machines differ.
async function frameTimes(page) {
  await page.locator(".scatter canvas").scrollIntoViewIfNeeded();
  await page.waitForTimeout(500);
  return page.evaluate(async () => {
    const at = document.querySelector(".scatter canvas");
    const box = at.getBoundingClientRect();
    const place = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, cancelable: true };
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const times = [];
    await frame();
    for (let i = 0, last = performance.now(); i < 60; ++i) {
      at.dispatchEvent(new WheelEvent("wheel", { ...place, deltaY: i < 30 ? -50 : 50 }));
      await frame();
      times.push(-last + (last = performance.now()));
    }
    times.sort((a, b) => a - b);
    const start = performance.now();
    for (let i = 0; i < 50; ++i) at.dispatchEvent(new PointerEvent("pointermove", { ...place, clientX: place.clientX + i - 25, pointerType: "mouse" }));
    return { median: times[30], slow: times[57], pick: (performance.now() - start) / 50, named: document.querySelector(".tip").textContent };
  });
}

const words = (t) => `  median frame ${t.median.toFixed(1)} ms, 19 of 20 within ${t.slow.toFixed(1)} ms, ${t.pick.toFixed(2)} ms to find a row`;

test("100,000 rows move and are found", async (context) => {
  const { page, faults } = await openPage(context, large);
  const times = await frameTimes(page);
  console.log(words(times));
  assert.match(times.named, /^row [\d,]+/);
  assert.deepEqual(faults, []);
}, wide);

// In software the page does not take WebGL2 of its own will: here it is made to, to see that both ways draw the same.
test("WebGL2 draws what the pixel buffer draws", async (context) => {
  const plain = await openPage(context, large);
  const layer = (page) => page.evaluate(() => {
    const canvas = document.querySelector(".scatter canvas");
    return { by: canvas.dataset.by, data: [...canvas.getContext("2d").getImageData(60, 30, canvas.width - 70, canvas.height - 80).data] };
  });
  await plain.page.waitForTimeout(300);
  const wanted = await layer(plain.page);
  assert.equal(wanted.by, "pixels");
  await context.addInitScript(() => {
    const { getContext } = HTMLCanvasElement.prototype;
    HTMLCanvasElement.prototype.getContext = function (kind, options) {
      return getContext.call(this, kind, kind === "webgl2" ? { ...options, failIfMajorPerformanceCaveat: false } : options);
    };
    const { getParameter } = WebGL2RenderingContext.prototype;
    WebGL2RenderingContext.prototype.getParameter = function (name) {
      return name === this.RENDERER ? "as if in hardware" : getParameter.call(this, name);
    };
  });
  const { page, faults } = await openPage(context, large);
  await page.waitForTimeout(500);
  const got = await layer(page);
  if (got.by !== "webgl") return console.log("  SKIPPED: this browser has no WebGL2, not even in software");
  let apart = 0;
  for (let i = 0; i < got.data.length; i += 4) {
    if (Math.abs(got.data[i] - wanted.data[i]) + Math.abs(got.data[i + 1] - wanted.data[i + 1]) + Math.abs(got.data[i + 2] - wanted.data[i + 2]) > 90) ++apart;
  }
  const share = (400 * apart) / got.data.length;
  console.log(`${words(await frameTimes(page))}; in software; ${share.toFixed(2)} % of the pixels differ`);
  assert.ok(share < 6, `${share} % of the pixels differ`);
  assert.deepEqual(faults.filter((fault) => !fault.includes("GPU stall due to ReadPixels")), []);
}, { ...wide, software: true });

test("figures, tables, bars and the flow read without a script", async (context) => {
  const { page } = await openPage(context, calm);
  const text = await page.locator("body").innerText();
  for (const part of ["998,985", "threshold 0.62", "vibration, 23 deviations out", "lambda", "goes on below the drawing", "cluster structure?", "near-duplicate of a kept row", "vibration", "9f86d081884c7d65", "140,000 rows", "k-means++"]) {
    assert.ok(text.includes(part), `no "${part}"`);
  }
  assert.equal(await page.locator("table[data-search] tbody tr").count(), 3000);
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
