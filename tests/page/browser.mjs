// A browser that talks to nobody, and a page in it whose misdeeds are kept.
import { createRequire } from "node:module";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export function skip(why) {
  console.log(`SKIPPED: ${why}`);
  process.exit(77);
}

function playwright() {
  try {
    return createRequire(new URL("../../explorer/package.json", import.meta.url))("playwright-core");
  } catch {
    skip("playwright-core is not installed: run explorer/build.sh once");
  }
}

const binary = [process.env.SLUICE_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));

export async function openBrowser() {
  const { chromium } = playwright();
  if (!binary) skip("no chromium (set SLUICE_CHROMIUM to one)");
  const profile = mkdtempSync(join(tmpdir(), "sluice-page-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  // With `software` there is WebGL, emulated.
  const emulated = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];
  const start = ({ software = false, ...options }) => {
    const args = software ? [...flags.filter((flag) => flag !== "--disable-gpu"), ...emulated] : flags;
    return chromium.launchPersistentContext(profile, { executablePath: binary, args, offline: true, ...options });
  };
  return { start, remove: () => rmSync(profile, { recursive: true, force: true }) };
}

// Opens `file` in `context`; `faults` collects console errors, exceptions, dialogs and requests for anything but the file itself.
export async function openPage(context, file) {
  const page = await context.newPage();
  const address = pathToFileURL(file).href;
  const faults = [];
  // Reading a canvas back is the test's doing, not the page's.
  const ours = (text) => text.includes("willReadFrequently");
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && !ours(message.text()) && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`exception: ${error}`));
  page.on("dialog", (dialog) => (faults.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => request.url() !== address && !request.url().startsWith("data:") && faults.push(`request: ${request.url()}`));
  await page.goto(address);
  await page.waitForTimeout(300);
  return { page, faults };
}
