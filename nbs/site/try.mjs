// The page around live.mjs: one button, tokens, the answer, the words that mattered.
import { about, open } from "./live.mjs";

const $ = (id) => document.getElementById(id);
const box = $("try"),
  text = $("try-text"),
  go = $("try-go"),
  bar = $("try-progress"),
  out = $("try-out");
const LONGEST = 4000; // tokens: more would keep a browser busy for minutes
let model;

const el = (tag, cls, ...children) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  e.append(...children);
  return e;
};
const state = (name) => {
  box.dataset.state = name;
};

function shown(answer, encoded) {
  const meter = el("span", "meter", el("span")),
    p = `${answer.label} ${answer.score.toFixed(4)}`;
  meter.firstChild.style.width = `${100 * answer.score}%`;
  meter.setAttribute("aria-hidden", "true");
  const chips = encoded.tokens.map((t, i) =>
    el("span", "chip", t, el("small", "", String(encoded.ids[i]))),
  );
  const parts = model.windows(encoded.ids).length;
  const long =
    parts > 1
      ? [
          el(
            "p",
            "said-long",
            `The model reads ${model.max_length} tokens at once. This text is longer, so it was read in ${parts} windows that overlap, and the score is their mean, as in Python.`,
          ),
        ]
      : [];
  return [
    el("p", "verdict", meter, el("b", "", p)),
    ...long,
    el("h3", "", `${chips.length.toLocaleString("en")} tokens`),
    el("div", "chips", ...chips),
  ];
}

function mattered({ found, words }) {
  const strongest = Math.max(...found.map((w) => Math.abs(w.fall)), 0.02);
  const marks = found.map(({ word, fall }) => {
    const e = el(
      "span",
      `word ${Math.abs(fall) < 0.005 ? "" : fall > 0 ? "up" : "down"}`,
      word,
      el("small", "", `${fall < 0 ? "−" : "+"}${Math.abs(fall).toFixed(3)}`),
    );
    e.style.backgroundColor = `color-mix(in srgb, var(--tint) ${Math.round((100 * Math.abs(fall)) / strongest)}%, transparent)`;
    return e;
  });
  const some =
    words > found.length
      ? [el("p", "", `The first ${found.length} of ${words} words were asked about.`)]
      : [];
  return [el("h3", "", "Words that mattered"), ...some, el("p", "words", ...marks)];
}

async function classify() {
  const asked = text.value.trim();
  if (!asked) {
    out.replaceChildren(el("p", "", "The text is empty; give it words."));
    return;
  }
  const encoded = model.encode(asked);
  if (encoded.ids.length > LONGEST) {
    out.replaceChildren(
      el(
        "p",
        "",
        `The text has ${encoded.ids.length.toLocaleString("en")} tokens; this page takes ${LONGEST.toLocaleString("en")}, Python takes any number.`,
      ),
    );
    return;
  }
  state("busy");
  go.disabled = true;
  try {
    const [answer] = await model.scores([asked]);
    out.replaceChildren(...shown(answer, encoded));
    await new Promise((done) => setTimeout(done));
    out.append(...mattered(await model.occlude(asked)));
    state("done");
  } finally {
    go.disabled = false;
  }
}

async function start() {
  go.disabled = true;
  bar.hidden = false;
  state("loading");
  try {
    model = await open((share) => {
      bar.value = share;
    });
    go.textContent = "Classify";
    $("try-size").textContent = "The model is here. Nothing that you type leaves this page.";
    await classify();
  } catch (e) {
    state("failed");
    out.replaceChildren(el("p", "", `The model could not be loaded: ${e.message}`));
    go.disabled = false;
  } finally {
    bar.hidden = true;
  }
}

go.addEventListener("click", () => (model ? classify() : start()));
text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && model && !go.disabled) classify();
});
box.querySelectorAll(".examples button").forEach((b) =>
  b.addEventListener("click", () => {
    text.value = b.textContent;
    if (model && !go.disabled) classify();
  }),
);

const { sizes } = await about();
const total = Object.values(sizes).reduce((a, b) => a + b),
  mb = (n) => (n / 1e6).toFixed(1);
go.textContent = `Load the model (${mb(total)} MB)`;
$("try-size").textContent =
  `${mb(sizes["model.onnx"])} MB of weights, ${mb(sizes["ort-wasm-simd-threaded.wasm"])} MB of runtime; only when you ask for it.`;
go.disabled = false;
