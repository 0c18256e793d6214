// node findings.mjs < {name: source}: what the page "Bring your notebook" finds in each, as JSON.
import fs from "node:fs";
import { findings, tableOf } from "../../nbs/site/findings.mjs";

const table = new URL("../../nlp_tour/embedded/names/names_2021.json", import.meta.url);
const read = tableOf(JSON.parse(fs.readFileSync(table, "utf8")));
const sources = Object.entries(JSON.parse(fs.readFileSync(0, "utf8")));
const found = sources.map(([name, source]) => {
  try {
    return [name, findings(source, read)];
  } catch (e) {
    return [name, `line ${e.line}: ${e.message}`];
  }
});
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
