// The site's search, in the place of Fuse, whose interface it has: words and their forms, names of code,
// chapters before API pages. A word of up to four letters is never guessed at.
(() => {
  "use strict";
  const KINDS = [
    [/^howto\.html/, 2.1], // how much more a hit counts than on a page of the workshop
    [/^(pipeline|tokenizer|model|customization|trainer|native_loop)\.html/, 1.6],
    [/^(2021|index|try|benchmarks|reliability)\.html|^(tasks|beyond)\//, 1.25],
    [/^api\//, 0.3],
  ];
  const prior = (href) =>
    (KINDS.find(([kind]) => kind.test(href)) || [null, 0.9])[1];

  /** A word without its ending: "training", "trains" and "trained" are one. */
  const stem = (word) => {
    if (word.length < 4 || /\d|_/.test(word)) return word;
    const short = word.replace(/(?:ies)$/, "y").replace(/([^s])s$/, "$1");
    const bare = short.replace(/(?:ing|ed|er)$/, "");
    if (bare.length < 3 || !/[aeiouy]/.test(bare)) return short.replace(/e$/, "");
    return bare.replace(/([bdfgmnprt])\1$/, "$1").replace(/e$/, "");
  };
  const stems = new Map();
  const stemmed = (word) => {
    if (!stems.has(word)) stems.set(word, stem(word));
    return stems.get(word);
  };
  /** The words of a text; a name such as load_metric is one word and also its parts. */
  const words = (text) => {
    const found = [];
    for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}_]+(?:-[\p{L}\p{N}]+)*/gu)) {
      const parts = word.split(/[-_]+/).filter(Boolean);
      if (parts.length > 1) found.push(word.replaceAll("-", ""));
      found.push(...parts.map(stemmed));
    }
    return found;
  };
  const counts = (text) => {
    const found = new Map();
    for (const word of words(text)) found.set(word, (found.get(word) || 0) + 1);
    return found;
  };

  /** Whether two words are at most `most` changes of a letter apart. */
  const near = (a, b, most) => {
    if (Math.abs(a.length - b.length) > most) return false;
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++)
        next[j] = Math.min(
          row[j] + 1,
          next[j - 1] + 1,
          row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1),
        );
      if (Math.min(...next) > most) return false;
      row = next;
    }
    return row[b.length] <= most;
  };

  window.Fuse = class {
    constructor(items = []) {
      this.holders = new Map(); // word -> entries that hold it
      this.entries = [];
      items.forEach((item) => this.add(item));
    }

    add(item) {
      const entry = { item, text: counts(item.text), prior: prior(item.href) };
      entry.title = counts(item.title);
      entry.section = counts(item.section || "");
      entry.top = item.section ? 0 : 1;
      entry.size = Math.sqrt(40 + item.text.length / 6);
      this.entries.push(entry);
      for (const word of new Set([
        ...entry.text.keys(),
        ...entry.title.keys(),
        ...entry.section.keys(),
      ])) {
        if (!this.holders.has(word)) this.holders.set(word, []);
        this.holders.get(word).push(entry);
      }
    }

    /** The words of the index that a typed word may mean, each with its weight. */
    meant(word) {
      if (this.holders.has(word)) return [[word, 1]];
      const all = [...this.holders.keys()];
      const longer = word.length > 1 ? all.filter((w) => w.startsWith(word)) : [];
      if (longer.length) return longer.slice(0, 40).map((w) => [w, 0.6]);
      if (word.length <= 4) return [];
      const most = word.length > 8 ? 2 : 1;
      return all.filter((w) => w.length > 3 && near(word, w, most)).map((w) => [w, 0.4]);
    }

    search(query, { limit = 20 } = {}) {
      const asked = [...new Set(words(query))],
        plain = query.toLowerCase().trim(),
        scores = new Map();
      for (const word of asked) {
        const best = new Map();
        for (const [held, weight] of this.meant(word)) {
          const holders = this.holders.get(held),
            rare = Math.log(1 + this.entries.length / holders.length);
          for (const entry of holders) {
            const often = entry.text.get(held) || 0,
              inText = (6 * often) / (often + entry.size / 4),
              inTitle = entry.title.has(held) ? (entry.top ? 5 : 2) : 0,
              inSection = entry.section.has(held) ? 4 : 0,
              score = weight * rare * (inText + inTitle + inSection);
            if (score > (best.get(entry) || 0)) best.set(entry, score);
          }
        }
        for (const [entry, score] of best) {
          const so = scores.get(entry) || { sum: 0, words: 0 };
          scores.set(entry, { sum: so.sum + score, words: so.words + 1 });
        }
      }
      const whole = (entry) => {
        const title = entry.item.title.toLowerCase(),
          section = (entry.item.section || "").toLowerCase();
        if (section === plain || (entry.top && title === plain)) return 2;
        if (section.includes(plain) || (entry.top && title.includes(plain))) return 1.4;
        return entry.item.text.toLowerCase().includes(plain) ? 1.15 : 1;
      };
      return [...scores]
        .map(([entry, { sum, words: n }]) => ({
          item: entry.item,
          score: sum * entry.prior * (n / asked.length) ** 2 * whole(entry),
        }))
        .sort((a, b) => b.score - a.score)
        .slice(0, limit);
    }
  };
})();
