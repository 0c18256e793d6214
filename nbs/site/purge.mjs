// node purge.mjs NODE_MODULES SITE SHEET…: drop the rules of each SHEET that no page or script under SITE can use.
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";

const [modules, site, ...sheets] = process.argv.slice(2);
const { PurgeCSS } = createRequire(`${modules}/`)("purgecss");
const purged = await new PurgeCSS().purge({
  content: [`${site}/**/*.html`, `${site}/site_libs/smalldocs.js`, `${site}/site/*.mjs`],
  css: sheets,
  variables: false,
  safelist: {
    standard: [/quarto/, /show/, /collaps/, /active/, /dropdown/, /^bi$/],
    deep: [/data-bs-theme/],
  },
});
for (const { file, css } of purged) writeFileSync(file, css);
