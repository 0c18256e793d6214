// Every page of the built site in a real browser: `make test-docs`. Each request to another site is refused and fails the test.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const site = path.join(root, "_docs"),
  modules = path.join(root, ".venv-docs/node_modules"),
  reference = path.join(root, ".venv-docs/reference");
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const TYPES = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".png": "image/png",
  ".woff2": "font/woff2",
};
const CHAPTERS = ["pipeline", "tokenizer", "model", "customization", "trainer", "native_loop"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const files = (dir) =>
  fs
    .readdirSync(dir, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? files(path.join(dir, e.name)) : [path.join(dir, e.name)]));
const pages = files(site)
  .filter((f) => f.endsWith(".html"))
  .map((f) => path.relative(site, f))
  .sort();
const read = (page) => fs.readFileSync(path.join(site, page), "utf8");
let server, base, browser;

before(async () => {
  server = http
    .createServer((request, response) => {
      const name = decodeURIComponent(new URL(request.url, "http://x").pathname);
      const file =
        name === "/widget-test.html"
          ? path.join(reference, "widget.html")
          : path.join(site, name.endsWith("/") ? `${name}index.html` : name);
      fs.readFile(file, (error, data) => {
        response.writeHead(error ? 404 : 200, {
          "content-type": TYPES[path.extname(file)] || "application/octet-stream",
          "content-length": data?.length ?? 0,
        });
        response.end(data);
      });
    })
    .listen(0);
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: FLAGS,
  });
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** A page that notes what must not happen, and all that it loads. */
async function opened(options) {
  const context = await browser.newContext(options),
    page = await context.newPage(),
    wrong = [],
    loaded = [];
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (/^(data|blob):/.test(url) || url.startsWith(base)) return route.continue();
    wrong.push(`asks for ${url}`);
    return route.abort();
  });
  page.on("pageerror", (e) => wrong.push(`error: ${e.message}`));
  page.on("console", (m) => {
    if (m.type() === "error") wrong.push(`console: ${m.text()}`);
  });
  page.on("response", (r) => {
    if (r.status() >= 400) wrong.push(`${r.status()} ${r.url()}`);
    loaded.push(r);
  });
  return { page, wrong, loaded, close: () => context.close() };
}

const DESKTOP = { width: 1280, height: 900 },
  PHONE = { width: 390, height: 844 };
const RULES = [
  "color-contrast",
  "image-alt",
  "link-name",
  "button-name",
  "label",
  "html-has-lang",
  "document-title",
  "duplicate-id-aria",
  "aria-valid-attr-value",
  "scrollable-region-focusable",
  "svg-img-alt",
];

for (const [size, viewport] of [
  ["desktop", DESKTOP],
  ["phone", PHONE],
])
  for (const theme of ["light", "dark"]) {
    test(`every page, ${size}, ${theme}`, async () => {
      const { page, wrong, close } = await opened({
        viewport,
        colorScheme: theme,
        hasTouch: size === "phone",
      });
      const axe = fs.readFileSync(path.join(modules, "axe-core/axe.min.js"), "utf8"),
        found = [];
      for (const name of pages) {
        await page.goto(`${base}/${name}`, { waitUntil: "load" });
        if (name === "try.html")
          await page.waitForFunction(() => !document.getElementById("try-go").disabled);
        const { wide, dark } = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          dark: getComputedStyle(document.body).backgroundColor,
        }));
        if (wide > 0) found.push(`${name}: ${wide} px too wide`);
        if ((dark === "rgb(255, 255, 255)") !== (theme === "light"))
          found.push(`${name}: ${dark} in the ${theme} theme`);
        if (size === "desktop") {
          await page.evaluate(axe);
          const broken = await page.evaluate(
            (values) =>
              axe
                .run(document, { runOnly: { type: "rule", values }, resultTypes: ["violations"] })
                .then((r) =>
                  r.violations.map(
                    (v) =>
                      `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary.slice(0, 220)}`,
                  ),
                ),
            RULES,
          );
          found.push(...broken.map((b) => `${name}: ${b}`));
        }
        found.push(...wrong.splice(0).map((w) => `${name}: ${w}`));
      }
      await close();
      assert.deepEqual(found, []);
    });
  }

test("no broken link or anchor", () => {
  const ids = new Map(
      pages.map((p) => [p, new Set([...read(p).matchAll(/\sid="([^"]+)"/g)].map((m) => m[1]))]),
    ),
    broken = [];
  for (const page of pages)
    for (const [, raw] of read(page)
      .replace(/<(pre|script)[\s\S]*?<\/\1>/g, "")
      .matchAll(/(?:href|src)="([^"]*)"/g)) {
      if (/^(https?:|mailto:|data:|javascript:)/.test(raw) || raw === "") continue;
      const [to, anchor] = decodeURIComponent(raw.replaceAll("&amp;", "&")).split("#"),
        target = to ? path.normalize(path.join(path.dirname(page), to.split("?")[0])) : page;
      const file =
        fs.existsSync(path.join(site, target)) && fs.statSync(path.join(site, target)).isDirectory()
          ? path.join(target, "index.html")
          : target;
      if (!fs.existsSync(path.join(site, file))) broken.push(`${page}: ${raw}`);
      else if (anchor && ids.has(file) && !ids.get(file).has(anchor))
        broken.push(`${page}: ${raw}`);
    }
  assert.deepEqual(broken, []);
});

test("each chapter has its badge, its stamp, the chapters beside it and a folded solution", () => {
  for (const [i, chapter] of CHAPTERS.entries()) {
    const text = read(`${chapter}.html`);
    assert.match(
      text,
      /class="colab" href="https:\/\/colab\.research\.google\.com\/github\//,
      `${chapter}: badge`,
    );
    assert.match(text, /class="stamp">Runs with Python 3\.\d+, torch \d/, `${chapter}: stamp`);
    assert.match(text, /<details>\s*<summary>Solution/, `${chapter}: solution`);
    const turns = [...text.matchAll(/<a [^>]*class="[^"]*pagination-link[^"]*"[^>]*>/g)].length;
    assert.equal(turns, i === 0 ? 1 : 2, `${chapter}: previous and next`);
  }
});

test("the landing page is light, shows the six chapters, and its figures say how they were measured", async () => {
  const { page, wrong, loaded, close } = await opened({ viewport: DESKTOP });
  await page.goto(`${base}/index.html`, { waitUntil: "networkidle" });
  const sizes = loaded.map((r) => [
      Number(r.headers()["content-length"]),
      new URL(r.url()).pathname,
    ]),
    bytes = sizes.reduce((sum, [n]) => sum + n, 0);
  assert.ok(bytes < 300_000, `${bytes} bytes: ${sizes.sort((a, b) => b[0] - a[0]).slice(0, 6)}`);
  assert.equal(await page.locator(".path a svg").count(), 6);
  assert.ok(
    (await page.locator(".said .answer").allTextContents()).every((t) =>
      /^POSITIVE 0\.\d+$/.test(t),
    ),
  );
  assert.ok((await page.locator('.figures a[href^="benchmarks.html#"]').count()) >= 3);
  assert.equal(
    await page
      .locator("main", { hasText: "make tour" })
      .locator("pre", { hasText: /^make tour/ })
      .count(),
    1,
    "the two commands are shown once",
  );
  const bottom = await page.locator(".figures").evaluate((e) => e.getBoundingClientRect().bottom);
  assert.ok(bottom <= DESKTOP.height + 40, `the first screen ends at ${bottom}`);
  assert.deepEqual(wrong, []);
  await close();
});

const TERMS = {
  padding: /./,
  apostrophe: /pipeline/,
  WordPiece: /wordpiece/,
  attention: /./,
  freeze: /customization|lora/,
  checkpoint: /trainer|training/,
  gradient: /./,
  "confusion matrix": /pictures|browse/,
  "zero-shot": /zero_shot/,
  load_metric: /./,
};
test("search finds ten terms, and a hit opens the right place", async () => {
  const { page, wrong, close } = await opened({ viewport: DESKTOP });
  for (const [term, where] of Object.entries(TERMS)) {
    await page.goto(`${base}/index.html`);
    await page.keyboard.press("/");
    await page.keyboard.type(term);
    await page.waitForSelector(".search-result");
    const hits = await page
      .locator(".search-result")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    assert.ok(
      hits.slice(0, 8).some((h) => where.test(h)),
      `${term}: ${hits}`,
    );
    await page.locator(".search-result").first().click();
    await page.waitForLoadState();
    const anchor = decodeURIComponent(new URL(page.url()).hash.slice(1));
    if (anchor)
      assert.equal(
        await page.evaluate((id) => !!document.getElementById(id), anchor),
        true,
        `${term}: #${anchor}`,
      );
    assert.ok(
      (await page.locator("main").innerText())
        .toLowerCase()
        .includes(term.split(/[ -]/)[0].toLowerCase()),
      `${term} is on ${page.url()}`,
    );
  }
  assert.deepEqual(wrong, []);
  await close();
});

test("search hits can be read in both themes", async () => {
  const axe = fs.readFileSync(path.join(modules, "axe-core/axe.min.js"), "utf8");
  for (const colorScheme of ["light", "dark"]) {
    const { page, close } = await opened({ viewport: DESKTOP, colorScheme });
    await page.goto(`${base}/tokenizer.html`);
    await page.keyboard.press("/");
    await page.keyboard.type("vocabulary");
    await page.waitForSelector(".search-result mark");
    await page.evaluate(axe);
    const bad = await page.evaluate(() =>
      axe
        .run(".smalldocs-search-results", { runOnly: { type: "rule", values: ["color-contrast"] } })
        .then((r) => r.violations.flatMap((v) => v.nodes.map((n) => n.failureSummary))),
    );
    assert.deepEqual(bad, []);
    await close();
  }
});

test("the icons of the page are in the font", async () => {
  const { page, close } = await opened({ viewport: DESKTOP });
  await page.goto(`${base}/tokenizer.html`, { waitUntil: "networkidle" });
  const widths = await page.evaluate(async () => {
    await document.fonts.ready;
    const canvas = document.createElement("canvas").getContext("2d"),
      names = [...document.querySelectorAll("i.bi, button i, .quarto-color-scheme-toggle i")];
    const signs = new Set(
      names
        .map((e) => getComputedStyle(e, "::before").content.replace(/"/g, ""))
        .filter((c) => c && c !== "none" && c !== "normal"),
    );
    return [...signs].map((sign) => {
      canvas.font = "20px bootstrap-icons, monospace";
      const w = canvas.measureText(sign).width;
      canvas.font = "20px monospace";
      return [sign.codePointAt(0).toString(16), w !== canvas.measureText(sign).width];
    });
  });
  assert.ok(widths.length >= 3, `${widths.length} icons`);
  assert.deepEqual(
    widths.filter(([, drawn]) => !drawn),
    [],
  );
  await close();
});

test("the benchmark page has a section, a command and a machine for each result", () => {
  const text = read("benchmarks.html"),
    results = fs
      .readdirSync(path.join(root, "benchmarks/results"))
      .map((f) => f.replace(/\.json$/, ""));
  for (const name of results) {
    const own =
      text
        .split(`<section id="${name.replaceAll("_", "-")}"`)[1]
        ?.split(/<section [^>]*class="level2"/)[0] ?? "";
    assert.ok(
      own.includes(`make bench-${name.replaceAll("_", "-")}`) &&
        own.includes("Measured on:") &&
        /<table|<svg/.test(own),
      name,
    );
  }
});

test("formulas are drawn", async () => {
  const { page, wrong, close } = await opened({ viewport: DESKTOP });
  await page.goto(`${base}/engine/batching.html`, { waitUntil: "networkidle" });
  assert.ok((await page.locator("main .katex, main math").count()) > 0);
  assert.deepEqual(wrong, []);
  await close();
});

test("the theme can be changed and stays", async () => {
  const { page, close } = await opened({ viewport: DESKTOP, colorScheme: "light" });
  await page.goto(`${base}/index.html`);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    first = await ground();
  await page.locator(".quarto-color-scheme-toggle").first().click();
  await page.waitForFunction(
    (was) => getComputedStyle(document.body).backgroundColor !== was,
    first,
  );
  const second = await ground();
  await page.goto(`${base}/model.html`);
  assert.equal(await ground(), second);
  await close();
});

test("the keyboard reaches everything, and shows where it is", async () => {
  const { page, close } = await opened({ viewport: DESKTOP });
  await page.goto(`${base}/try.html`);
  await page.waitForFunction(() => !document.getElementById("try-go").disabled);
  const stops = await page.locator("a, button, input, textarea, select, summary").count();
  const seen = new Set();
  for (let i = 0; i <= stops; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const e = document.activeElement,
        s = getComputedStyle(e);
      return {
        name:
          e.id ||
          (e.closest("#quarto-sidebar")
            ? "sidebar"
            : e.closest(".smalldocs-search")
              ? "search"
              : e.closest("header")
                ? "header"
                : e.tagName),
        visible: s.outlineStyle !== "none" || s.boxShadow !== "none",
      };
    });
    if (["try-text", "try-go"].includes(at.name))
      assert.ok(at.visible, `${at.name} shows no focus`);
    seen.add(at.name);
    if (at.name === "try-go") break;
  }
  for (const name of ["header", "search", "sidebar", "try-text", "try-go"])
    assert.ok(seen.has(name), `${name} is not reached: ${[...seen]}`);
  await close();
});

test("the live page says its size, loads on a click, and answers on a phone", async () => {
  const { page, wrong, loaded, close } = await opened({ viewport: PHONE, hasTouch: true });
  await page.goto(`${base}/try.html`, { waitUntil: "networkidle" });
  const said = Number((await page.locator("#try-go").innerText()).match(/([\d.]+) MB/)[1]);
  assert.ok(
    !loaded.some((r) => /onnx|wasm|vocab/.test(r.url())),
    "the model was loaded before it was asked for",
  );
  await page.locator("#try-go").tap();
  await page.waitForSelector('#try[data-state="done"]', { timeout: 120_000 });
  const bytes = loaded
    .filter((r) => r.url().includes("/live/") && !r.url().includes("about.json"))
    .reduce((sum, r) => sum + Number(r.headers()["content-length"]), 0);
  assert.ok(Math.abs(bytes / 1e6 - said) < 0.2, `said ${said} MB, loaded ${bytes}`);
  assert.match(await page.locator(".verdict").innerText(), /POSITIVE 0\.9\d+/);
  assert.equal(await page.locator(".chip").count(), 14);
  assert.equal(await page.locator(".word").count(), 11);
  assert.ok((await page.locator(".word.up").count()) > 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  const ask = async (text) => {
    await page.locator("#try-text").fill(text);
    await page.locator("#try-go").tap();
    await page.waitForFunction(() => !document.getElementById("try-go").disabled, null, {
      timeout: 60_000,
    });
  };
  await ask("");
  assert.match(await page.locator("#try-out").innerText(), /empty/);
  await ask("<script>window.hit = 1</script> <img src=x onerror=window.hit=1> fine");
  assert.ok(
    (await page.locator(".words").innerText()).includes("<script>window.hit"),
    "markup is shown as text",
  );
  assert.equal(
    await page.evaluate(
      () => window.hit || document.querySelectorAll("#try-out script, #try-out img").length,
    ),
    0,
  );
  await ask("fine film ".repeat(300));
  assert.match(
    await page.locator("#try-out").innerText(),
    /reads 512 tokens at once[^]*2 windows[^]*602 tokens[^]*first 13 of 600 words/,
  );
  await ask("fine ".repeat(5000));
  assert.match(await page.locator("#try-out").innerText(), /5,002 tokens; this page takes 4,000/);
  assert.deepEqual(wrong, []);
  await close();
});

test("the live model's scores are within 0.02 of Python's on 200 reviews and on a text of several windows, its tokens equal", async () => {
  const { texts, positive, hard, ids } = JSON.parse(
    fs.readFileSync(path.join(reference, "scores.json")),
  );
  const { page, wrong, close } = await opened({ viewport: DESKTOP });
  await page.goto(`${base}/try.html`);
  const got = await page.evaluate(
    async ({ texts, hard }) => {
      const model = await (await import(`${location.origin}/site/live.mjs`)).open();
      return {
        scores: (await model.scores(texts)).map(
          (a) => a.probabilities[model.labels.indexOf("POSITIVE")],
        ),
        ids: hard.map((t) => model.encode(t).ids),
        windows: model.windows(model.encode(texts.at(-1)).ids).length,
      };
    },
    { texts, hard },
  );
  const worst = Math.max(...got.scores.map((s, i) => Math.abs(s - positive[i])));
  assert.equal(got.scores.length, 201);
  assert.ok(got.windows > 2, `${got.windows} windows`);
  assert.ok(worst <= 0.02, `${worst}`);
  const other = hard.filter((_, i) => JSON.stringify(got.ids[i]) !== JSON.stringify(ids[i]));
  assert.deepEqual(other, []);
  assert.deepEqual(wrong, []);
  await close();
});

test("widgets draw themselves without a kernel, from this site", async () => {
  const { page, wrong, close } = await opened({ viewport: DESKTOP });
  await page.goto(`${base}/widget-test.html`);
  await page.waitForSelector(".widget-slider", { timeout: 20_000 });
  assert.match(await page.locator(".widget-slider").innerText(), /seven\s*7/);
  assert.deepEqual(
    wrong.filter((w) => !w.includes("favicon")),
    [],
  );
  await close();
});

test("machines find their way: llms.txt, and a Markdown copy of each page", () => {
  const index = fs.readFileSync(path.join(site, "llms.txt"), "utf8");
  for (const page of pages) {
    assert.ok(fs.existsSync(path.join(site, page.replace(/\.html$/, ".llms.md"))), page);
    assert.ok(index.includes(page.replace(/\.html$/, "")), `${page} is not in llms.txt`);
  }
});

test("API pages: every module, parameters explained, symbols linked from the chapters", () => {
  const api = pages.filter((p) => p.startsWith("api/"));
  assert.ok(api.length >= 25);
  assert.match(read("api/pipeline.html"), /id="pipeline"[\s\S]*batch_tokens/);
  for (const chapter of CHAPTERS)
    assert.match(read(`${chapter}.html`), /href="api\/[\w-]+\.html#/, chapter);
});
