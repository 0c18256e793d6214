// The embedded sentiment model in a browser: WordPiece, ONNX Runtime Web, occlusion. No request leaves the site.
const here = new URL("../live/", import.meta.url);
const [PAD, UNK, CLS, SEP, MASK] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

// ---- text to words, as BERT's uncased tokenizer splits it
const CJK =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
const CONTROL = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cn}\p{Co}\u0000\uFFFD]/gu;
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/u;

/** Words and punctuation marks, each with the place of its whitespace-separated word. */
export function words(text) {
  const clean = text.replace(CONTROL, "").replace(CJK, " $& ");
  const found = [];
  clean
    .split(/[\s\u0085]+/u)
    .filter(Boolean)
    .forEach((surface, place) => {
      let run = "";
      const flush = () => {
        if (run) found.push({ piece: run, place, surface });
        run = "";
      };
      for (const c of surface
        .normalize("NFD")
        .replace(/\p{Mn}/gu, "")
        .toLowerCase()) {
        if (PUNCTUATION.test(c)) {
          flush();
          found.push({ piece: c, place, surface });
        } else run += c;
      }
      flush();
    });
  return found;
}

/** The longest pieces of the vocabulary, from left to right; one unknown part makes the whole word unknown. */
export function pieces(word, vocab) {
  const chars = [...word],
    out = [];
  if (chars.length > 100) return [UNK];
  for (let start = 0, end; start < chars.length; start = end) {
    for (end = chars.length; end > start; end--) {
      const piece = (start ? "##" : "") + chars.slice(start, end).join("");
      if (vocab.has(piece)) {
        out.push(piece);
        break;
      }
    }
    if (end === start) return [UNK];
  }
  return out;
}

/** Tokens, ids and, for each token, the place of its word (-1 for special tokens). */
export function encode(text, vocab) {
  const rows = words(text).flatMap(({ piece, place, surface }) =>
    pieces(piece, vocab).map((token) => ({ token, place, surface })),
  );
  const all = [{ token: CLS, place: -1 }, ...rows, { token: SEP, place: -1 }];
  return {
    tokens: all.map((r) => r.token),
    ids: all.map((r) => vocab.get(r.token)),
    places: all.map((r) => r.place),
    surfaces: all.map((r) => r.surface),
  };
}

/** Rows of at most `most` ids that overlap, each with [CLS] and [SEP], as Python reads a text that is longer than the model. */
export function windows(ids, most, stride = 64) {
  const inner = ids.slice(1, -1),
    room = most - 2,
    out = [];
  for (let start = 0; ; start += room - stride) {
    out.push([ids[0], ...inner.slice(start, start + room), ids.at(-1)]);
    if (start + room >= inner.length) return out;
  }
}

// ---- the model
/** What will be loaded: labels, the longest input, and the bytes of each file. */
export const about = async () => (await fetch(new URL("about.json", here))).json();

async function bytes(name, total, seen) {
  const response = await fetch(new URL(name, here));
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status})`);
  const reader = response.body.getReader(),
    parts = new Uint8Array(total);
  for (let at = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return parts.subarray(0, at);
    parts.set(value, at);
    at += value.length;
    seen(value.length);
  }
}

/** Load everything; `progress` hears the share that is here. The answer has `encode`, `scores` and `occlude`. */
export async function open(progress = () => {}) {
  const { labels, max_length, sizes } = await about();
  const wanted = sizes["model.onnx"] + sizes["vocab.txt"];
  let got = 0;
  const seen = (n) => progress((got += n) / wanted);
  const ort = await import(new URL("ort.wasm.min.mjs", here));
  ort.env.wasm.wasmPaths = here.href;
  ort.env.wasm.numThreads = 1;
  const vocab = new Map(
    new TextDecoder()
      .decode(await bytes("vocab.txt", sizes["vocab.txt"], seen))
      .split("\n")
      .filter(Boolean)
      .map((token, id) => [token, id]),
  );
  const session = await ort.InferenceSession.create(
    await bytes("model.onnx", sizes["model.onnx"], seen),
    { executionProviders: ["wasm"] },
  );

  /** Probabilities for rows of ids, a row each. */
  async function probabilities(rows) {
    const longest = Math.max(...rows.map((r) => r.length)),
      n = rows.length * longest;
    const ids = new BigInt64Array(n).fill(BigInt(vocab.get(PAD))),
      mask = new BigInt64Array(n);
    rows.forEach((row, i) =>
      row.forEach((id, j) => {
        ids[i * longest + j] = BigInt(id);
        mask[i * longest + j] = 1n;
      }),
    );
    const dims = [rows.length, longest];
    const { logits } = await session.run({
      input_ids: new ort.Tensor("int64", ids, dims),
      attention_mask: new ort.Tensor("int64", mask, dims),
    });
    return rows.map((_, i) => {
      const row = Array.from(logits.data.slice(i * labels.length, (i + 1) * labels.length)),
        top = Math.max(...row);
      const e = row.map((x) => Math.exp(x - top)),
        sum = e.reduce((a, b) => a + b);
      return e.map((x) => x / sum);
    });
  }

  /** Probabilities for one text's ids: the mean over its windows, weighted by their tokens. */
  async function read(ids) {
    const parts = windows(ids, max_length),
      total = parts.reduce((n, p) => n + p.length, 0),
      mean = labels.map(() => 0);
    for (const part of parts)
      (await probabilities([part]))[0].forEach((p, i) => {
        mean[i] += (p * part.length) / total;
      });
    return mean;
  }

  /** Label and score for each text. */
  async function scores(texts) {
    const answers = [];
    for (const text of texts) {
      const p = await read(encode(text, vocab).ids),
        best = p.indexOf(Math.max(...p));
      answers.push({ label: labels[best], score: p[best], probabilities: p });
    }
    return answers;
  }

  /** For each of the first words, at most 60 and fewer in a long text, which takes longer to read: by how much the answer's score falls when the word is masked. `seen` hears what is found so far; `stopped` is asked between the words. */
  async function occlude(text, { seen = () => {}, stopped = () => false } = {}) {
    const { ids, places, surfaces } = encode(text, vocab),
      most = Math.max(8, Math.min(60, Math.floor(8000 / ids.length)));
    const whole = await read(ids),
      best = whole.indexOf(Math.max(...whole)),
      all = [...new Set(places)].filter((p) => p >= 0),
      group = Math.max(1, Math.min(16, Math.floor(512 / ids.length))),
      found = [];
    const masked = (place) => ids.map((id, j) => (places[j] === place ? vocab.get(MASK) : id));
    for (let i = 0; i < Math.min(all.length, most); i += group) {
      await new Promise((done) => setTimeout(done)); // lets a message in that says to stop
      if (stopped()) break;
      const asked = all.slice(i, Math.min(i + group, most)),
        rows = asked.map(masked);
      const p =
        ids.length <= max_length
          ? await probabilities(rows)
          : await rows.reduce(async (done, row) => [...(await done), await read(row)], []);
      asked.forEach((place, j) =>
        found.push({ word: surfaces[places.indexOf(place)], fall: whole[best] - p[j][best] }),
      );
      seen({ found, words: all.length });
    }
    return { found, words: all.length };
  }
  return {
    labels,
    max_length,
    scores,
    occlude,
    encode: (text) => encode(text, vocab),
    windows: (ids) => windows(ids, max_length),
  };
}
