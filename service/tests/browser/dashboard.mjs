// Drives the dashboard in Chromium:
//
//     COUNTERD_TEST_TOOLS=DIR node dashboard.mjs chromium URL URL_WITH_TOKENS SECRET URL_WITH_ACK_MEMORY [URL_OF_CLUSTER URL_OF_NAMESAKE]
//
// The node of the cluster has heard n2, which is alive, and n3, which was killed. Without NATS there is no such node. It prints a line for each check, and fails at the first that does not hold. With COUNTERD_SCREENSHOTS=DIR it takes pictures.

import fs from "node:fs";
import path from "node:path";
import { assert, assertEqual, client, launch, startProxy, tool, until } from "./tools.mjs";

const [chromium, plainUrl, tokenUrl, secret, memoryUrl, clusterUrl, namesakeUrl] = process.argv.slice(2);
const screenshots = process.env.COUNTERD_SCREENSHOTS;
const WITHIN = 60_000;

const plain = client(plainUrl);
const proxy = await startProxy(plainUrl);
const browser = await launch(chromium);

// Each console error fails the run, but for those of a network that a check has cut.
const complaints = [];
let mayComplain = false;

async function openPage(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN);
  page.on("console", (message) => {
    const isExpected = mayComplain && message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return page;
}

const page = await openPage(proxy.url);
const row = (name, on = page) => on.locator("#rows tr", { has: on.locator("bdi", { hasText: exactly(name) }) });
const exactly = (text) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
const valueOf = (name) => row(name).locator(".value").textContent();
const shows = (name, value) => until(`${name} shows ${value}`, async () => (await row(name).count()) === 1 && (await valueOf(name)) === value);
const outcome = (text) => page.locator("#outcome-text", { hasText: text }).waitFor();
const isLive = (on = page) => on.locator("#state", { hasText: "Ready, live" }).waitFor();

async function shot(name, on = page) {
  if (screenshots === undefined) return;
  fs.mkdirSync(screenshots, { recursive: true });
  await on.screenshot({ path: path.join(screenshots, `${name}.png`) });
}

async function axe(on, what) {
  // In the middle of a change of colours, their contrast is nobody's. An animation may also be replaced by another.
  await on.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished)));
  // An evaluated text is no script of the page, so the page's own policy stays in force.
  await on.evaluate(fs.readFileSync(tool.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await on.evaluate(() => window.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} and ${nodes.length - 1} more. ${nodes[0].failureSummary}`);
  assertEqual(found.join("\n"), "", `axe finds nothing: ${what}`);
}

async function addOnPage(name, delta) {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("How much").fill(delta);
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

async function search(prefix) {
  await page.getByLabel("Names that begin with").fill(prefix);
}

const checks = {
  async "counters appear, and change when they are added to"() {
    await isLive();
    await plain.add("views", 3);
    await shows("views", "3");
    await plain.add("views", 4);
    await shows("views", "7");
    const rate = row("views").locator(".rate");
    await plain.add("views", 90);
    await until("there is a rate", async () => Number(await rate.textContent()) > 5);
    await until("it fades", async () => Number(await rate.textContent()) < 5);
  },

  async "the figures of the node are there"() {
    await until("the commits are told", async () => /^[1-9]/.test(await page.locator("#commits").textContent()));
    assert(/(µs|ms|s)$/.test(await page.locator("#commit").textContent()), "a commit takes some time");
    assert((await page.locator("#ack").textContent()).includes("(durable)"), "the acknowledgement is told");
    assert((await page.locator("#unstored-note").textContent()).includes("wait for the disk"), "what unstored means is told");
    await until("all is stored", async () => (await page.locator("#unstored").textContent()) === "0");
    assert((await page.locator("#chart").getAttribute("aria-label")).includes("at most"), "the chart has a text");
  },

  async "an add from the page counts once, with a key"() {
    const request = page.waitForRequest((one) => one.method() === "POST");
    await addOnPage("likes: a/b?c#d%41", "5");
    const headers = await (await request).allHeaders();
    assertEqual(headers["content-type"], "application/json", "the content type");
    assert(/^[0-9a-f]{32}$/.test(headers["idempotency-key"]), "there is a key");
    await outcome("The value is 5.");
    await shows("likes: a/b?c#d%41", "5");
    await addOnPage("likes: a/b?c#d%41", "−2");
    await outcome("The value is 3.");
    await row("likes: a/b?c#d%41").getByRole("button", { name: "Add 1 to" }).click();
    await outcome("The value is 4.");
    assertEqual(await plain.value("likes: a/b?c#d%41"), 4, "the node's value");
  },

  async "what is no number is not sent"() {
    for (const delta of ["three", "1.5", "9223372036854775808", ""]) {
      await addOnPage("views", delta);
      await page.locator("#add-delta-note", { hasText: "Write a whole number" }).waitFor();
      assertEqual(await page.evaluate(() => document.activeElement.id), "add-delta", "the focus is on the field");
    }
    await addOnPage("", "1");
    await page.locator("#add-name-note", { hasText: "Write the name" }).waitFor();
    assertEqual(await plain.value("views"), 97, "nothing was added");
  },

  async "a problem is told in words, with whether it counts"() {
    mayComplain = true;
    await addOnPage("long:".padEnd(5_000, "x"), "1");
    await outcome("Counted: no.");
    assert(await page.getByRole("button", { name: "Try again" }).isHidden(), "what was refused is not tried again");
    mayComplain = false;
    await page.getByRole("button", { name: "Close" }).click();
  },

  async "values beyond 2^53 are exact"() {
    await plain.batch([{ name: "big", delta: 9_007_199_254_740_992 }, { name: "big", delta: 1 }]);
    await shows("big", "9,007,199,254,740,993");
  },

  async "a reset says what it subtracts, and waits for a yes"() {
    const dialog = page.getByRole("dialog", { name: "Reset views?" });
    const button = row("views").getByRole("button", { name: "Reset views" });
    await button.click();
    await dialog.getByText("97", { exact: true }).waitFor();
    await plain.add("views", 1);
    await dialog.getByText("98", { exact: true }).waitFor();
    await shot("reset");
    await axe(page, "with the dialog");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert(await button.evaluate((one) => one === document.activeElement), "the focus is back on the button");
    await button.click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assertEqual(await plain.value("views"), 98, "nothing was reset");
    await button.click();
    await dialog.getByRole("button", { name: "Reset" }).click();
    await outcome("It subtracted 98.");
    await shows("views", "0");
    assertEqual(await plain.value("views"), 0, "the node's value");
  },

  async "names that look like markup are shown as text"() {
    const names = ["<img src=x onerror=window.hacked=1>", "<script>window.hacked=1</script>", "\"'&lt;b>", "constructor", "__proto__"];
    for (const name of names) {
      await plain.add(name, 1);
      await shows(name, "1");
    }
    await plain.add("turned\u202eround\nline\u0000", 1);
    await shows("turned\\u{202e}round\\u{a}line\\u{0}", "1");
    await row("<img src=x onerror=window.hacked=1>").getByRole("button", { name: "Add 1 to" }).click();
    await outcome("The value is 2.");
    assertEqual(await page.evaluate(() => [window.hacked, document.querySelector("#rows img, #rows script")].join()), ",", "no markup");
  },

  async "axe finds nothing, and nothing is cut off"() {
    await plain.add("name:".padEnd(250, "long"), 123_456_789);
    await page.getByRole("button", { name: "A second" }).click();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        await shows("big", "9,007,199,254,740,993");
        await shot(`${colorScheme}-${width}`);
        await axe(page, `${colorScheme}, ${width} px`);
        const excess = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
        assert(excess <= 0, `${excess} px too wide at ${width} px`);
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
  },

  async "a search finds by prefix, and a hundred are shown"() {
    await plain.batch(Array.from({ length: 1_205 }, (_, place) => ({ name: `many:${String(place).padStart(4, "0")}`, delta: place + 1 })));
    await search("many:");
    await page.locator("#shown", { hasText: "The first 100 of 1,205 counters" }).waitFor();
    assertEqual(await page.locator("#rows tr").count(), 100, "rows");
    await page.getByRole("button", { name: "Value" }).click();
    assertEqual(await page.locator("#rows tr").first().locator("bdi").textContent(), "many:1204", "the greatest is first");
    await page.getByRole("button", { name: "Name" }).click();
    assertEqual(await page.locator("#rows tr").first().locator("bdi").textContent(), "many:0000", "the first name is first");
    await search("many:04");
    await page.locator("#shown", { hasText: "100 counters that begin with “many:04”" }).waitFor();
    await plain.add("many:0400", 1_000);
    await shows("many:0400", "1,401");
    await search("nothing");
    await page.locator("#shown", { hasText: "No counter that begins with “nothing”" }).waitFor();
    await search("");
    await shows("big", "9,007,199,254,740,993");
  },

  async "all of it works from the keyboard"() {
    await search("key");
    await page.locator("#shown", { hasText: "No counter" }).waitFor();
    await plain.add("key:a", 1);
    await plain.add("key:b", 5);
    await shows("key:a", "1");
    await shows("key:b", "5");
    await page.getByRole("button", { name: "Value" }).focus();
    await page.keyboard.press("Enter");
    const name = page.locator("#rows tr").first().locator("bdi");
    await until("the greatest is first", async () => (await name.textContent()) === "key:b");
    const button = row("key:a").getByRole("button", { name: "Add 1 to" });
    for (let tries = 0; !(await button.evaluate((one) => one === document.activeElement)); tries += 1) {
      assert(tries < 20, "the button can be reached with the tab key");
      await page.keyboard.press("Tab");
    }
    await plain.add("key:a", 8);
    await page.keyboard.press("Enter");
    await shows("key:a", "10");
    assert(await button.evaluate((one) => one === document.activeElement), "the focus is kept");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows("key:a", "0");
    await page.evaluate(() => document.activeElement.blur());
    await until("the rows move once nobody points at them", async () => (await name.textContent()) === "key:b");
    await search("");
  },

  async "a lost node is shown, and found again"() {
    await search("lost");
    await addOnPage("lost", "1");
    await outcome("The value is 1.");
    mayComplain = true;
    proxy.cut();
    await page.locator("#state", { hasText: /^Disconnected since \d\d:\d\d:\d\d$/ }).waitFor();
    await page.locator("#unstored", { hasText: "?" }).waitFor();
    await shot("disconnected");
    await plain.add("lost", 41);
    proxy.heal();
    await isLive();
    await shows("lost", "42");
    await search("");
    mayComplain = false;
  },

  async "an add whose answer is lost counts once"() {
    mayComplain = true;
    proxy.loseNextAnswer();
    await addOnPage("once", "1");
    await outcome("It was counted the first time.");
    assert(proxy.hasLostIt(), "an answer was lost");
    assertEqual(await plain.value("once"), 1, "the node's value");
    mayComplain = false;
  },

  async "the theme can be chosen, and stays"() {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.getByRole("button", { name: "Theme: auto" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    assert((await background()) !== light, "dark is another colour");
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    assert((await background()) !== light, "it stays");
    await page.getByRole("button", { name: "Theme: dark" }).click();
    await isLive();
  },

  async "nothing moves for those who want that"() {
    await page.emulateMedia({ reducedMotion: "reduce" });
    const moving = await page.evaluate(() =>
      Array.from(document.querySelectorAll("*")).filter((one) =>
        [getComputedStyle(one), getComputedStyle(one, "::after")].some((style) => style.transitionDuration !== "0s" || style.animationName !== "none"),
      ).length,
    );
    assertEqual(moving, 0, "elements that move");
  },

  async "a token is asked for, and kept in the tab"() {
    mayComplain = true;
    const guarded = await openPage(tokenUrl);
    const dialog = guarded.getByRole("dialog");
    const give = async (text) => {
      await dialog.getByLabel("Token").fill(text);
      await dialog.getByRole("button", { name: "Use it" }).click();
    };
    await dialog.getByText("This node wants a token").waitFor();
    await axe(guarded, "with the question for a token");
    await give("a-guess");
    await dialog.getByText("The node refuses the token").waitFor();
    await guarded.keyboard.press("Escape");
    await guarded.getByRole("button", { name: "Enter a token" }).click();
    await give(secret);
    await isLive(guarded);
    await client(tokenUrl, secret).add("guarded", 2);
    await until("the counter is there", async () => (await row("guarded", guarded).count()) === 1);
    await guarded.reload();
    await isLive(guarded);
    await guarded.getByRole("button", { name: "Forget the token" }).click();
    await dialog.getByText("This node wants a token").waitFor();
    await guarded.context().close();
    mayComplain = false;
  },

  async "with --ack memory it says what a crash loses"() {
    const risky = await openPage(memoryUrl);
    await isLive(risky);
    await risky.locator("#unstored-note", { hasText: "A crash now loses them" }).waitFor();
    await risky.context().close();
  },

  async "a node of a cluster tells of the others"() {
    if (clusterUrl === undefined) return;
    assert(await page.locator("#cluster").isHidden(), "a node alone has no others");
    const node = await openPage(clusterUrl);
    await isLive(node);
    await node.locator("#members", { hasText: /^2 alive; n3 is silent for \d/ }).waitFor();
    await node.locator("#lag", { hasText: /^1 change$/ }).waitFor();
    await node.locator("#at-risk", { hasText: "0 changes" }).waitFor();
    await axe(node, "a node of a cluster");
    await node.context().close();
    const doubled = await openPage(namesakeUrl);
    await doubled.locator("#state", { hasText: "Another process runs under the name n4" }).waitFor();
    await doubled.context().close();
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
    console.error(`FAILED: ${name}\n${error.stack}\n${complaints.join("\n")}\n${(await page.locator("main").innerText().catch(String)).slice(0, 2_000)}`);
    await shot("failed").catch(() => {});
    status = 1;
    break;
  }
}
clearTimeout(bound);
await browser.close();
process.exit(status);
