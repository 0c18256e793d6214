// The live page's model in a thread of its own: the page stays quick while it reads.
import { open } from "./live.mjs";

const LONGEST = 4000; // tokens: more would keep a browser busy for minutes
let model,
  current = 0; // the text that is asked about; another number stops what is on its way

const answers = {
  async open() {
    model = await open((share) => postMessage({ kind: "progress", share }));
    postMessage({ kind: "ready" });
  },
  async read({ id, text }) {
    current = id;
    const { tokens, ids } = model.encode(text);
    if (ids.length > LONGEST) {
      postMessage({ kind: "long", id, tokens: ids.length, longest: LONGEST });
      return;
    }
    const [answer] = await model.scores([text]),
      windows = model.windows(ids).length;
    postMessage({ kind: "answer", id, answer, tokens, ids, windows, longest: model.max_length });
    const stopped = () => current !== id,
      seen = (found) => postMessage({ kind: "words", id, ...found });
    const found = await model.occlude(text, { seen, stopped });
    postMessage({ kind: "end", id, stopped: stopped(), ...found });
  },
  stop() {
    current = 0;
  },
};

addEventListener("message", async ({ data }) => {
  try {
    await answers[data.kind](data);
  } catch (e) {
    postMessage({ kind: "failed", message: e.message });
  }
});
