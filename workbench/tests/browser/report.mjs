// Drives reports in Chromium, from files, as people open them:
//
//     COUNTERD_TEST_TOOLS=DIR node report.mjs chromium COUNTER_REPORT ECHO_REPORT LARGE_REPORT
//
// It prints a line for each check, and fails at the first that does not hold. With COUNTERD_SCREENSHOTS=DIR it takes pictures.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { assert, assertEqual, launch, tool } from "../../../service/tests/browser/tools.mjs";

const [chromium, counterFile, echoFile, largeFile] = process.argv.slice(2);
const screenshots = process.env.COUNTERD_SCREENSHOTS;
const browser = await launch(chromium);
const complaints = [];
if (screenshots !== undefined) {
  fs.mkdirSync(screenshots, { recursive: true });
  [counterFile, echoFile, largeFile].forEach((file) => fs.copyFileSync(file, path.join(screenshots, path.basename(file))));
}

async function openPage(file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(pathToFileURL(file).href);
  return page;
}

async function shot(name, on = page, fullPage = true) {
  if (screenshots === undefined) return;
  await on.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage });
}

async function axe(on, what) {
  await on.evaluate(fs.readFileSync(tool.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await on.evaluate(() => window.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} and ${nodes.length - 1} more. ${nodes[0].failureSummary}`);
  assertEqual(found.join("\n"), "", `axe finds nothing: ${what}`);
}

const page = await openPage(counterFile);
const plot = (id, on = page) => on.locator(`.plot[data-plot=${id}]`);
const axis = (id) => plot(id).locator(".xs").innerText();
const IDS = ["timeline", "quantiles", "latency", "throughput", "values", "traffic", "bytes"];
const titleOf = (on = page) => on.locator("#messages h2").textContent();
const rows = (on = page) => on.locator("#around tbody tr");
const viewOf = (id) => plot(id).locator("svg").getAttribute("viewBox");

async function drag(id, from, until) {
  const root = plot(id);
  await root.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await root.boundingBox();
  await page.mouse.move(x + width * from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * until, y + height / 2, { steps: 4 });
  await page.mouse.up();
}

const checks = {
  async "all charts are there, and each marks faults and violations"() {
    const found = await page.locator(".plot").evaluateAll((plots) => plots.map((one) => one.dataset.plot));
    assertEqual(found.join(), IDS.join(), "the charts of a counter");
    for (const id of IDS) {
      for (const mark of ["#faults", "#findings"]) assertEqual(await plot(id).locator(`use[href="${mark}"]`).count(), 1, `${mark} in ${id}`);
      assert((await plot(id).locator("path[d^=M]").count()) > 0, `${id} is drawn`);
    }
    assert((await page.locator("#faults path[d^=M]").count()) >= 3, "there are faults");
    assert((await page.locator("#findings .violation").getAttribute("d")).length > 0, "there are violations");
    for (const id of IDS) {
      const thin = await plot(id).screenshot();
      const style = await page.addStyleTag({ content: ".violation { stroke-width: 9 }" });
      assert(!(await plot(id).screenshot()).equals(thin), `the violations in ${id} can be seen, as thick as they should be`);
      await style.evaluate((one) => one.remove());
    }
  },

  async "a workload that is no counter has no chart of values"() {
    const echo = await openPage(echoFile);
    const found = await echo.locator(".plot").evaluateAll((plots) => plots.map((one) => one.dataset.plot));
    assertEqual(found.join(), IDS.filter((id) => id !== "values").join(), "the charts of an echo");
    await echo.locator("button.at").first().click();
    assert((await echo.locator("#around").innerText()).includes("<img src=x"), "the body is shown as text");
    assertEqual(await echo.evaluate(() => [window.hacked, document.querySelectorAll("main img").length].join()), ",0", "no markup");
    await echo.context().close();
  },

  async "a click on a violation shows the messages around it"() {
    const buttons = page.locator("button.at");
    const text = await buttons.nth(2).textContent();
    await buttons.nth(2).click();
    const moment = text.replace("at ", "").replace(" s", "");
    assert(Math.abs(Number((await titleOf()).match(/[\d.]+/)[0]) - Number(moment)) < 0.001, await titleOf());
    assert((await rows().count()) > 20, "there are messages");
    assert((await page.locator("#around .arrow").count()) > 20, "they are drawn");
    assertEqual(await page.locator("#around .now").count(), 1, "the moment is drawn");
    assert((await rows().locator("code").allTextContents()).some((body) => body.startsWith('{"')), "with their bodies");
    assertEqual(await page.evaluate(() => document.activeElement.textContent), await titleOf(), "the focus is on the heading");
  },

  async "sending and arrival are drawn apart"() {
    const steep = await page.locator("#around .got path.arrow").evaluateAll((arrows) => arrows.filter((one) => one.getBBox().height > 10).length);
    assert(steep > 10, "an arrow falls from its sending to its arrival");
  },

  async "messages are filtered by node and type"() {
    await page.getByLabel("Node", { exact: true }).selectOption("n1");
    await page.getByLabel("Type", { exact: true }).selectOption("gossip");
    const found = await rows().allTextContents();
    assert(found.length > 3 && found.every((row) => row.includes("n1") && row.includes("gossip")), found.join("\n"));
    await page.getByLabel("Node", { exact: true }).selectOption("all");
    await page.getByLabel("Type", { exact: true }).selectOption("all");
    const first = await rows().first().textContent();
    await page.getByRole("button", { name: "Earlier", exact: true }).click();
    assert((await rows().first().textContent()) !== first, "one can step on");
  },

  async "a drag zooms all charts alike"() {
    const [before, view] = [await axis("latency"), await viewOf("latency")];
    await drag("quantiles", 0.3, 0.5);
    assert((await axis("latency")) !== before, "the axis has changed");
    const views = await Promise.all(IDS.map(viewOf));
    assert(views[0] !== view && views.every((one) => one === views[0]), views.join("\n"));
    await shot("zoomed");
    await page.getByRole("button", { name: "Whole run" }).click();
    assertEqual(await axis("latency"), before, "the axis of the whole run");
  },

  async "hovering tells the values of that time"() {
    await plot("quantiles").scrollIntoViewIfNeeded();
    const { width, height } = await plot("quantiles").boundingBox();
    await plot("quantiles").hover({ position: { x: width * 0.1, y: height / 2 } });
    const tip = await plot("quantiles").locator(".tip").innerText();
    assert(/^\d+\.\d+ s\n/.test(tip) && tip.includes("p99: ") && tip.includes(" ms"), tip);
    const cursors = await page.locator(".cursor").evaluateAll((all) => all.filter((one) => !one.hidden).length);
    assertEqual(cursors, IDS.length, "each chart shows the cursor");
  },

  async "a click on a chart and on the timeline shows the messages of that time"() {
    for (const id of ["throughput", "timeline"]) {
      await plot(id).scrollIntoViewIfNeeded();
      const { width, height } = await plot(id).boundingBox();
      const before = await titleOf();
      await plot(id).click({ position: { x: width * (id === "timeline" ? 0.4 : 0.6), y: height / 2 } });
      assert((await titleOf()) !== before, "another moment");
      assert((await rows().count()) > 20, "there are messages");
      assertEqual(await page.evaluate(() => document.querySelector("#messages").previousElementSibling.id), id, "below what was clicked");
    }
  },

  async "an operation of the timeline tells what it is"() {
    await drag("timeline", 0.1, 0.12);
    const { width, height } = await plot("timeline").boundingBox();
    let tip = "";
    for (let part = 0; part < 40 && !/process \d+, node n\d/.test(tip); part += 1) {
      await plot("timeline").hover({ position: { x: (width * part) / 40, y: height / 6 } });
      tip = await plot("timeline").locator(".tip").innerText();
    }
    assert(/\[[orum]\] (add|read)/.test(tip), tip);
    await page.getByRole("button", { name: "Whole run" }).click();
  },

  async "all of it works from the keyboard"() {
    const [view, title] = [await viewOf("latency"), await titleOf()];
    await plot("values").focus();
    await page.keyboard.press("+");
    assert((await viewOf("latency")) !== view, "plus zooms");
    await page.keyboard.press("ArrowRight");
    assert((await plot("values").locator(".tip").innerText()).includes("acknowledged"), "an arrow key moves the cursor");
    assert((await plot("values").evaluate((one) => getComputedStyle(one).outlineStyle)) === "solid", "the focus can be seen");
    await page.keyboard.press("Enter");
    assert((await titleOf()) !== title, "enter shows messages");
    await plot("values").focus();
    await page.keyboard.press("Escape");
    assertEqual(await viewOf("latency"), view, "escape shows the whole run");
    await page.getByLabel("Messages at, s").fill("2.5");
    await page.keyboard.press("Enter");
    assertEqual(await titleOf(), "Messages around 2.500000 s", "a moment can be written");
    const controls = await page.locator("button, select, input").evaluateAll((all) => all.filter((one) => one.tabIndex < 0).length);
    assertEqual(controls, 0, "controls that the tab key skips");
  },

  async "axe finds nothing, and nothing is cut off"() {
    await page.evaluate(() => document.activeElement.blur());
    await page.locator("button.at").first().click();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        await shot(`${colorScheme}-${width}`);
        await axe(page, `${colorScheme}, ${width} px`);
        const excess = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
        assert(excess <= 0, `${excess} px too wide at ${width} px`);
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
  },

  async "the theme can be chosen"() {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.getByRole("button", { name: "Theme: auto" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    assert((await background()) !== light, "dark is another colour");
    await page.emulateMedia({ media: "print" });
    assertEqual(await background(), light, "paper is white");
    await shot("print");
    await page.emulateMedia({ media: null });
  },

  async "it is readable without its script"() {
    const plain = await openPage(counterFile, { javaScriptEnabled: false });
    assertEqual(await plain.locator(".plot svg").count(), IDS.length, "charts");
    assert((await plain.locator("#messages td").count()) > 20, "the messages around the first violation");
    assert((await plot("latency", plain).locator(".xs").innerText()).includes("10 s"), "the axis");
    await shot("without-script", plain);
    await plain.context().close();
  },

  async "a large run can be explored too"() {
    const large = await openPage(largeFile);
    await large.locator("button.at").last().click();
    assert((await rows(large).count()) > 10, "messages around the last finding");
    await large.getByLabel("Messages at, s").fill("13.37");
    await large.keyboard.press("Enter");
    assert((await rows(large).count()) > 5, "the nearest messages of any moment");
    await shot("large", large);
    await large.context().close();
  },
};

// The run has a bound of its own. If the browser hangs, closing it may too: then it ends with this process.
const bound = setTimeout(() => {
  console.error("it takes too long");
  process.exit(1);
}, 900_000);
let status = 0;
for (const [name, check] of Object.entries(checks)) {
  const begun = Date.now();
  try {
    await check();
    assertEqual(complaints.join("\n"), "", "the console");
    console.log(`ok: ${name} (${Date.now() - begun} ms)`);
  } catch (error) {
    console.error(`FAILED: ${name}\n${error.stack}\n${complaints.join("\n")}`);
    await shot("failed").catch(() => {});
    status = 1;
    break;
  }
}
clearTimeout(bound);
await browser.close();
process.exit(status);
