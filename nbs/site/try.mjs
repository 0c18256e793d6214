// The page around worker.mjs: one button, the answer, its tokens, then the words that mattered.
import { about } from "./live.mjs";

const $ = (id) => document.getElementById(id);
const box = $("try"),
  text = $("try-text"),
  go = $("try-go"),
  stop = $("try-stop"),
  bar = $("try-progress"),
  out = $("try-out");
const MOST_CHIPS = 600; // more tokens than one looks at, and than a page draws at once
let worker,
  ready = false,
  asked = 0,
  marks; // where the words that mattered stand

const el = (tag, cls, ...children) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  e.append(...children);
  return e;
};
const state = (name) => {
  box.dataset.state = name;
};

function shown({ answer, tokens, ids, windows, longest }) {
  const meter = el("span", "meter", el("span")),
    p = `${answer.label} ${answer.score.toFixed(4)}`;
  meter.firstChild.style.width = `${100 * answer.score}%`;
  meter.setAttribute("aria-hidden", "true");
  const chips = tokens
    .slice(0, MOST_CHIPS)
    .map((t, i) => el("span", "chip", t, el("small", "", String(ids[i]))));
  if (tokens.length > MOST_CHIPS)
    chips.push(el("span", "", `and ${(tokens.length - MOST_CHIPS).toLocaleString("en")} more`));
  const long =
    windows > 1
      ? [
          el(
            "p",
            "long",
            `The model reads ${longest} tokens at once. This text is longer, so it was read in ${windows} windows that overlap, and the score is their mean, as in Python.`,
          ),
        ]
      : [];
  return [
    el("p", "verdict", meter, el("b", "", p)),
    ...long,
    el("h3", "", `${tokens.length.toLocaleString("en")} tokens`),
    el("div", "chips", ...chips),
  ];
}

function mattered({ found, words, kind, stopped }) {
  const strongest = Math.max(...found.map((w) => Math.abs(w.fall)), 0.02);
  const all = found.map(({ word, fall }) => {
    const e = el(
      "span",
      `word ${Math.abs(fall) < 0.005 ? "" : fall > 0 ? "up" : "down"}`,
      word,
      el("small", "", `${fall < 0 ? "−" : "+"}${Math.abs(fall).toFixed(3)}`),
    );
    e.style.backgroundColor = `color-mix(in srgb, var(--tint) ${Math.round((100 * Math.abs(fall)) / strongest)}%, transparent)`;
    return e;
  });
  const how = kind === "words" ? "so far" : stopped ? "before you stopped" : "";
  const some =
    words > found.length
      ? [el("p", "", `The first ${found.length} of ${words} words were asked about ${how}`.trim() + ".")]
      : [];
  return [el("h3", "", "Words that mattered"), ...some, el("p", "words", ...all)];
}

function idle(name) {
  state(name);
  go.disabled = false;
  stop.hidden = true;
}

const heard = {
  progress({ share }) {
    bar.value = share;
  },
  ready() {
    ready = true;
    bar.hidden = true;
    go.textContent = "Classify";
    $("try-size").textContent = "The model is here. Nothing that you type leaves this page.";
    classify();
  },
  long({ tokens, longest }) {
    const [has, takes] = [tokens, longest].map((n) => n.toLocaleString("en"));
    out.replaceChildren(
      el("p", "", `The text has ${has} tokens; this page takes ${takes}, Python takes any number.`),
    );
    idle("done");
  },
  answer(data) {
    marks = el("div", "mattered");
    out.replaceChildren(...shown(data), marks);
    stop.hidden = false;
    state("answered");
  },
  words(data) {
    marks.replaceChildren(...mattered(data));
  },
  end(data) {
    marks.replaceChildren(...mattered(data));
    idle("done");
  },
  failed({ message }) {
    bar.hidden = true;
    const what = ready ? "The text could not be read" : "The model could not be loaded";
    out.replaceChildren(el("p", "", `${what}: ${message}`));
    idle("failed");
  },
};

function classify() {
  const given = text.value.trim();
  if (!given) {
    out.replaceChildren(el("p", "", "The text is empty; give it words."));
    idle("done");
    return;
  }
  state("busy");
  go.disabled = true;
  worker.postMessage({ kind: "read", id: ++asked, text: given });
}

function start() {
  go.disabled = true;
  bar.hidden = false;
  state("loading");
  worker ??= new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.id === undefined || data.id === asked) heard[data.kind](data);
  };
  worker.onerror = () => heard.failed({ message: "this browser cannot run it" });
  worker.postMessage({ kind: "open" });
}

go.addEventListener("click", () => (ready ? classify() : start()));
stop.addEventListener("click", () => worker.postMessage({ kind: "stop" }));
text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && ready && !go.disabled) classify();
});
box.querySelectorAll(".examples button").forEach((b) =>
  b.addEventListener("click", () => {
    text.value = b.textContent;
    if (ready && !go.disabled) classify();
  }),
);

const { sizes } = await about();
const total = Object.values(sizes).reduce((a, b) => a + b),
  mb = (n) => (n / 1e6).toFixed(1);
go.textContent = `Load the model (${mb(total)} MB)`;
$("try-size").textContent =
  `${mb(sizes["model.onnx"])} MB of weights, ${mb(sizes["ort-wasm-simd-threaded.wasm"])} MB of runtime; only when you ask for it.`;
go.disabled = false;
