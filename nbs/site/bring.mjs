// The page around findings.mjs: files and pasted code in, a table of old uses out. Nothing leaves the page.
import { findings, tableOf } from "./findings.mjs";
import { NotPython } from "./scan.mjs";

const $ = (id) => document.getElementById(id);
const box = $("bring"),
  drop = $("bring-drop"),
  file = $("bring-file"),
  text = $("bring-text"),
  go = $("bring-go"),
  said = $("bring-said"),
  out = $("bring-out");
const LARGEST = 100e6; // bytes
const PASTED = "Your code"; // its name
const EXAMPLE = `from datasets import load_dataset, load_metric
from transformers import AdamW, AutoModelWithLMHead, AutoTokenizer
from transformers import Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("gpt2", use_auth_token=True)
batch = tokenizer.batch_encode_plus(texts, pad_to_max_length=True)
args = TrainingArguments("out", evaluation_strategy="epoch", sharded_ddp="simple")
trainer = Trainer(model, args, tokenizer=tokenizer)
loss, logits = model(input_ids, labels=labels)
`;
const WAYS = {
  migrate: ["migrate rewrites it", (n) => `nlp-tour migrate rewrites ${n}`],
  revived: ["Runs with nlp_tour.all", (n) => `${n} ${n === 1 ? "runs" : "run"} with nlp_tour.all`],
  hand: ["By hand", (n) => `${n} ${n === 1 ? "is" : "are"} to be changed by hand`],
};

const el = (tag, cls, ...children) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  e.append(...children);
  return e;
};
const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** One sentence about what was found. */
function summary(name, found) {
  if (!found.length) return `${name}: no old name, argument or import was found.`;
  const ways = Object.entries(WAYS)
    .map(([way, [, words]]) => [found.filter((f) => f.way === way).length, words])
    .filter(([n]) => n)
    .map(([n, words]) => words(n));
  return `${name}: ${count(found.length, "old use")}. ${ways.join("; ")}.`;
}

function row({ cell, line, name, kind, way, today, code }, isFirst) {
  const place = cell === null ? `line ${line}` : `cell ${cell}, line ${line}`,
    isCode = !["use", "cell"].includes(kind);
  const old = el("td", "old", isCode ? el("code", "", name) : name);
  if (isFirst) old.append(el("small", "", code));
  old.dataset.name = name;
  const cells = [
    el("th", "", place),
    old,
    el("td", "today", today),
    el("td", `way ${way}`, WAYS[way][0]),
  ];
  cells[0].scope = "row";
  return el("tr", "", ...cells);
}

const isSameLine = (a, b) => a.cell === b?.cell && a.line === b.line;

/** The table of one file. */
function listed(name, found) {
  const heads = ["Where", "In 2021", "Today", "What to do"].map((title) => {
    const th = el("th", "", title);
    th.scope = "col";
    return th;
  });
  const table = el(
    "table",
    "table found",
    el("caption", "", name),
    el("thead", "", el("tr", "", ...heads)),
    el("tbody", "", ...found.map((f, i) => row(f, !isSameLine(f, found[i - 1])))),
  );
  const wide = el("div", "wide", table);
  if (!found.some((f) => f.way !== "hand")) return wide;
  const command = /\.(py|ipynb)$/.test(name) ? name : "old.py",
    quoted = /^[\w.-]+$/.test(command) ? command : `'${command.replaceAll("'", "'\\''")}'`;
  const source = "git+https://github.com/nlp-tour/nlp_tour";
  const first = el("code", "", `pip install 'nlp_tour[migrate] @ ${source}'`),
    then = el("code", "", `nlp-tour migrate ${quoted}`);
  return el("div", "", wide, el("p", "", "To see the diff: ", first, ", then ", then, "."));
}

/** What the page says and shows about one source text. */
function read(name, source) {
  try {
    const found = findings(source, table, name === PASTED ? undefined : /\.ipynb$/i.test(name));
    return [summary(name, found), found.length ? listed(name, found) : ""];
  } catch (e) {
    if (!(e instanceof NotPython)) throw e;
    return [`${name} cannot be read: ${e.line ? `line ${e.line}: ` : ""}${e.message}.`, ""];
  }
}

function show(results) {
  said.replaceChildren(
    ...results.flatMap(([sentence], i) => (i ? [el("br"), sentence] : [sentence])),
  );
  out.replaceChildren(...results.map(([, shown]) => shown));
  box.dataset.state = "done";
}

/** The text of a file, or a sentence about why there is none. */
async function open(given) {
  if (!/\.(py|ipynb)$/i.test(given.name))
    return { sentence: `${given.name} is neither a script (.py) nor a notebook (.ipynb).` };
  if (given.size > LARGEST)
    return { sentence: `${given.name} is too large for a page; use nlp-tour migrate.` };
  try {
    const bytes = await given.arrayBuffer();
    return { source: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { sentence: `${given.name} cannot be read: it is not text in UTF-8.` };
  }
}

async function take(files) {
  const results = [];
  for (const given of files) {
    const { source, sentence } = await open(given);
    results.push(sentence ? [sentence, ""] : read(given.name, source));
  }
  if (results.length) show(results);
}

go.addEventListener("click", () => {
  const source = text.value;
  show([source.trim() ? read(PASTED, source) : ["There is no code yet; paste some.", ""]]);
});
text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) go.click();
});
$("bring-example").addEventListener("click", () => {
  text.value = EXAMPLE;
  go.click();
});
file.addEventListener("change", () => take(file.files));

// A file may be dropped anywhere: a near miss would make the browser leave the page.
addEventListener("dragover", (e) => {
  if (!e.dataTransfer.types.includes("Files")) return;
  e.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (e) => {
  if (!e.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", (e) => {
  drop.classList.remove("over");
  if (!e.dataTransfer.files.length) return;
  e.preventDefault();
  take([...e.dataTransfer.files]);
});

const table = tableOf(await (await fetch(new URL("names_2021.json", import.meta.url))).json());
go.disabled = false;
