// Python read just far enough to look for names: statements, chains like `a.b(c)[d]`, and the cells of a notebook.

/** What is wrong with a text, in one sentence, and its line. */
export class NotPython extends Error {
  constructor(line, why) {
    super(why);
    this.line = line;
  }
}

const KEYWORDS = new Set(
  `False None True and as assert async await break class continue def del elif else except finally for from global if
import in is lambda nonlocal not or pass raise return try while with yield`.split(/\s+/),
);
const BLOCKS = new Set("if elif else for while with try except finally def class async".split(" "));
const CLOSES = { "(": ")", "[": "]", "{": "}" };
const SPACE = /(?:[ \t\f\r]|\\\r?\n)+/y,
  COMMENT = /#[^\n]*/y,
  NAME = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy,
  NUMBER = /(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][+-]?\d+)?)[jJ]?/y,
  QUOTE = /([rRbBuUfF]{0,2})("""|'''|"|')/y,
  OPERATOR = /\*\*=|\/\/=|>>=|<<=|\.\.\.|!=|->|:=|[+\-*/%&|^@<>=]=|\*\*|\/\/|<<|>>|[^\s\w]/uy;

const at = (pattern, source, place) => {
  pattern.lastIndex = place;
  return pattern.exec(source);
};

/** The place behind a string that opened with `quote`. */
function stringEnd(source, start, quote, line) {
  for (let i = start; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source.startsWith(quote, i)) return i + quote.length;
    else if (source[i] === "\n" && quote.length === 1) break;
  }
  throw new NotPython(line, "a string is not closed");
}

/** The tokens of what stands in the braces of an f-string. */
function formatted(source, start, end, line) {
  const found = [];
  for (let i = start; i < end; i++) {
    if (source[i] !== "{") continue;
    if (source[i + 1] === "{") {
      i++;
      continue;
    }
    let depth = 1,
      j = i + 1;
    for (; j < end && depth; j++) depth += { "{": 1, "}": -1 }[source[j]] ?? 0;
    const code = source.slice(i + 1, j - 1).replace(/![rsa]\s*(:.*)?$/s, ""),
      above = source.slice(start, i).split("\n").length - 1;
    try {
      found.push(tokens(code, line + above));
    } catch (e) {
      if (!(e instanceof NotPython)) throw e; // a format like {x:>{width}} is no expression
    }
    i = j - 1;
  }
  return found;
}

/** The tokens of a source text; a "newline" ends each statement. An opening bracket knows its end. */
export function tokens(source, line = 1) {
  const out = [],
    open = [];
  const add = (type, text, place, more) => {
    out.push({ type, text, line, start: place, end: place + text.length, ...more });
    line += text.split("\n").length - 1;
  };
  for (let i = 0, found; i < source.length; i += found[0].length) {
    if ((found = at(SPACE, source, i))) line += found[0].split("\n").length - 1;
    else if ((found = at(COMMENT, source, i))) continue;
    else if (source[i] === "\n") {
      found = ["\n"];
      if (open.length) line++;
      else add("newline", "\n", i);
    } else if ((found = at(QUOTE, source, i))) {
      const [head, prefix, quote] = found,
        end = stringEnd(source, i + head.length, quote, line),
        inner = [i + head.length, end - quote.length];
      const isFormat = /f/i.test(prefix);
      found = [source.slice(i, end)];
      add("string", found[0], i, {
        value: isFormat ? "" : source.slice(...inner),
        parts: isFormat ? formatted(source, ...inner, line) : [],
      });
    } else if ((found = at(NAME, source, i)))
      add(KEYWORDS.has(found[0]) ? "keyword" : "name", found[0], i);
    else if ((found = at(NUMBER, source, i))) add("number", found[0], i);
    else {
      found = at(OPERATOR, source, i);
      if (!found || /[$?!`]$/.test(found[0]))
        throw new NotPython(line, `"${source[i]}" is no sign of Python`);
      const sign = found[0];
      if (CLOSES[sign]) open.push(out.length);
      if (")]}".includes(sign)) {
        const opener = out[open.pop()];
        if (CLOSES[opener?.text] !== sign) throw new NotPython(line, `a "${sign}" closes nothing`);
        opener.close = out.length;
      }
      add("op", sign, i);
    }
  }
  if (open.length) {
    const { text, line: from } = out[open.pop()];
    throw new NotPython(from, `a "${text}" is not closed`);
  }
  out.forEach((token) => Object.assign(token, { source }));
  return out;
}

// ---- chains
const OPEN = new Set(["(", "[", "{"]);
const is = (token, text) => token?.text === text && token.type !== "string";

/** Places from `a` to `b` outside of inner brackets. */
export function* outside(all, a, b) {
  for (let i = a; i < b; i++) {
    yield i;
    if (OPEN.has(all[i].text) && all[i].close) i = all[i].close - 1;
  }
}

/** [from, to] of each part between top-level commas. */
function commas(all, a, b) {
  const parts = [];
  let from = a;
  for (const i of outside(all, a, b))
    if (is(all[i], ",")) {
      parts.push([from, i]);
      from = i + 1;
    }
  if (from < b) parts.push([from, b]);
  return parts;
}

/** Whether a comprehension stands between two places, outside of inner brackets. */
const loops = (all, a, b) => [...outside(all, a, b)].some((i) => is(all[i], "for"));

const textOf = (all, a, b) => all[a].source.slice(all[a].start, all[b - 1].end);

/** Reads expressions; every name, attribute, call and subscript that it meets goes into `nodes`. */
export class Chains {
  nodes = [];
  params = []; // of lambdas
  reads = []; // names
  loops = []; // {node, target} of each `for target in node`

  /** One expression: a chain, a tuple or list of such, or {kind: "other"}. */
  whole(all, a, b) {
    if (a >= b) return { kind: "other", text: "" };
    const parts = loops(all, a, b) ? [] : commas(all, a, b);
    if (parts.length > 1 || is(all[b - 1], ","))
      return { kind: "tuple", elements: parts.map(([x, y]) => this.whole(all, x, y)) };
    const [node, end] = this.chain(all, a, b);
    if (node && end === b) return Object.assign(node, { text: textOf(all, a, b) });
    this.all(all, end, b);
    return { kind: "other", text: textOf(all, a, b) };
  }

  /** Everything between two places. */
  all(all, a, b) {
    let target = null;
    for (let i = a; i < b;) {
      if (is(all[i], "for")) target = i + 1;
      const isLoop = target !== null && is(all[i], "in");
      const [node, end] = this.chain(all, isLoop ? i + 1 : i, b);
      const whole = isLoop && node && (end === b || all[end].type === "keyword");
      if (whole) this.loops.push({ node, target: textOf(all, target, i) });
      if (isLoop) target = null;
      i = end;
    }
  }

  /** The chain that starts at a token, and the place behind it. */
  chain(all, i, b) {
    const [start, first] = [i, all[i]];
    let node = this.atom(all, i, b);
    i = OPEN.has(first.text) && first.close ? first.close + 1 : i + 1;
    while (first.type === "string" && all[i]?.type === "string" && i < b) {
      this.atom(all, i++, b);
      node = { kind: "other" };
    }
    if (is(first, "lambda")) this.lambda(all, i, b);
    if (!node) return [null, i];
    for (;;) {
      const token = i < b ? all[i] : undefined;
      let next;
      if (is(token, ".") && all[i + 1]?.type === "name") {
        next = { kind: "attribute", value: node, name: all[i + 1].text };
        i += 2;
      } else if (is(token, "(")) {
        next = { kind: "call", func: node, args: this.args(all, i + 1, token.close) };
        node.called = true;
        i = token.close + 1;
      } else if (is(token, "[")) {
        next = { kind: "subscript", value: node, index: this.index(all, i + 1, token.close) };
        i = token.close + 1;
      } else return [node, i];
      node = { ...next, line: first.line, code: textOf(all, start, i) };
      this.nodes.push(node);
    }
  }

  atom(all, i, b) {
    const token = all[i];
    if (token.type === "name") {
      this.reads.push(token.text);
      return { kind: "name", name: token.text, line: token.line, code: token.text };
    }
    if (token.type === "string") {
      for (const part of token.parts) this.all(part, 0, part.length);
      return { kind: "string", value: token.value };
    }
    if (token.type === "number" || /^(None|True|False)$/.test(token.text))
      return { kind: "other", text: token.text };
    if (!OPEN.has(token.text) || !token.close) return null;
    const inner = this.whole(all, i + 1, token.close);
    if (is(token, "(")) return inner;
    const elements = inner.elements ?? (inner.text ? [inner] : []);
    return is(token, "[") ? { kind: "tuple", elements } : { kind: "other" };
  }

  args(all, a, b) {
    const parts = loops(all, a, b) ? [[a, b]] : commas(all, a, b);
    return parts.map(([x, y]) => {
      const star = /^\*\*?$/.test(all[x].text) ? all[x].text : "",
        named = all[x].type === "name" && is(all[x + 1], "=");
      const from = x + (star ? 1 : named ? 2 : 0);
      const value = this.whole(all, from, y);
      return { star, keyword: named ? all[x].text : null, value, line: all[x].line };
    });
  }

  index(all, a, b) {
    const isSlice = [...outside(all, a, b)].some((i) => is(all[i], ":"));
    const value = this.whole(all, a, b);
    return isSlice ? null : value;
  }

  lambda(all, i, b) {
    for (; i < b && !is(all[i], ":"); i++)
      if (all[i].type === "name") this.params.push(all[i].text);
  }
}

// ---- statements
/** Where the block of a compound statement starts: the place behind its colon. */
function colon(all, a, b) {
  let lambdas = 0;
  for (const i of outside(all, a, b)) {
    if (is(all[i], "lambda")) lambdas++;
    if (is(all[i], ":") && lambdas-- === 0) return i;
  }
  return b;
}

function importFrom(all, a, b) {
  const i = [...outside(all, a, b)].find((j) => is(all[j], "import"));
  if (i === undefined) throw new NotPython(all[a].line, "an import has no names");
  const module = all
    .slice(a + 1, i)
    .map((t) => t.text)
    .join("");
  const inner = is(all[i + 1], "(") ? [i + 2, all[i + 1].close] : [i + 1, b];
  const names = commas(all, ...inner).map(([x, y]) => ({
    name: all[x].text,
    alias: is(all[x + 1], "as") ? all[y - 1].text : null,
  }));
  return { kind: "from", module, names };
}

function importModules(all, a, b) {
  const names = commas(all, a + 1, b).map(([x, y]) => {
    const as = all.slice(x, y).findIndex((t) => is(t, "as"));
    const end = as < 0 ? y : x + as;
    return {
      name: all
        .slice(x, end)
        .map((t) => t.text)
        .join(""),
      alias: as < 0 ? null : all[y - 1].text,
    };
  });
  return { kind: "import", names };
}

/** The name that a definition gives. */
function nameAt(all, i) {
  if (all[i]?.type === "name") return all[i].text;
  throw new NotPython(all[i - 1].line, `"${all[i - 1].text}" needs a name`);
}

function definition(all, a, b, chains) {
  const i = a + (is(all[a], "async") ? 2 : 1),
    open = [...outside(all, i + 1, b)].find((j) => is(all[j], "("));
  const params = open === undefined ? [] : commas(all, open + 1, all[open].close);
  const read = params.map(([x, y]) => {
    const star = /^\*\*?$/.test(all[x].text) ? all[x].text : "",
      from = x + (star ? 1 : 0);
    const inside = [...outside(all, from, y)],
      value = inside.find((j) => is(all[j], "=")) ?? y,
      typed = is(all[from + 1], ":");
    const annotation = typed ? chains.whole(all, from + 2, value) : null;
    chains.all(all, value, y);
    return { name: all[from]?.type === "name" ? all[from].text : "", star, annotation };
  });
  if (open !== undefined) chains.all(all, all[open].close + 1, b);
  return { kind: "def", name: nameAt(all, i), params: read, nameLine: all[i].line };
}

function classOf(all, a, b, chains) {
  const bases = is(all[a + 2], "(") ? chains.args(all, a + 3, all[a + 2].close) : [];
  return {
    kind: "class",
    name: nameAt(all, a + 1),
    bases: bases.filter((x) => !x.keyword && !x.star).map((x) => x.value),
  };
}

/** Targets and value of `a = b = c`; the target of `a: T = c`. */
function assignment(all, a, b, chains) {
  const signs = [...outside(all, a, b)].filter((i) => is(all[i], "=")),
    typed = [...outside(all, a, signs[0] ?? b)].find((i) => is(all[i], ":"));
  if (typed !== undefined && !is(all[a], "lambda")) {
    const target = chains.whole(all, a, typed);
    chains.all(all, typed + 1, b);
    return { kind: "annotated", target };
  }
  if (!signs.length) {
    chains.all(all, a, b);
    return { kind: "expression" };
  }
  const ends = [...signs, b],
    parts = ends.map((end, i) => chains.whole(all, i ? ends[i - 1] + 1 : a, end));
  return { kind: "assign", targets: parts.slice(0, -1), value: parts.at(-1) };
}

function statement(all, a, b, indent) {
  const chains = new Chains(),
    word = all[a].text === "async" ? all[a + 1]?.text : all[a].text;
  const readers = { from: importFrom, import: importModules, def: definition, class: classOf };
  const isCode = all[a].type === "keyword";
  const read = (isCode && readers[word]) || (isCode ? null : assignment);
  let found = { kind: "expression" };
  if (read) found = read(all, a, b, chains);
  else chains.all(all, a, b);
  const { nodes, params: lambdas, loops, reads } = chains;
  return { ...found, indent, line: all[a].line, nodes, lambdas, loops, reads };
}

const PYTHON_2 = /^(print|exec)$/;

/** The statements of a source text, in order, each with the name of the class that it stands in. */
export function statements(source) {
  const all = tokens(source.replace(/^\uFEFF/, "")),
    out = [],
    classes = [];
  for (let a = 0, b; a < all.length; a = b + 1) {
    for (b = a; b < all.length && all[b].type !== "newline"; b++);
    if (a === b) continue;
    const begin = source.lastIndexOf("\n", all[a].start) + 1;
    let indent = all[a].start - begin;
    for (let from = a, end; from < b; from = end + 1) {
      const isBlock = all[from].type === "keyword" && BLOCKS.has(all[from].text);
      const stops = isBlock
        ? colon(all, from, b)
        : [...outside(all, from, b)].find((i) => is(all[i], ";"));
      end = stops ?? b;
      if (from === end) continue;
      if (
        PYTHON_2.test(all[from].text) &&
        ["string", "name"].includes(all[from + 1]?.type) &&
        from + 1 < end
      )
        throw new NotPython(all[from].line, `"${all[from].text}" is a statement of Python 2`);
      const found = statement(all, from, end, indent);
      while (classes.length && classes.at(-1).indent >= indent) classes.pop();
      if (found.kind === "class") classes.push(found);
      out.push({ ...found, inside: classes.at(-1)?.name });
      if (isBlock) indent++;
    }
  }
  return out;
}

// ---- notebooks
const PYTHON_MAGICS = new Set(["time", "timeit", "capture", "prun"]);
const SHELL =
  /^\s*(?:!.*|[%?;,/](?![=\s]).*|[\w.*]+\?\??\s*|[\w., ()[\]]+?=\s*(?:!|%\w).*|.*\S\?\??\s*)$/;

/** A code cell as Python, with IPython's lines left blank: {code, aside: [[line, text]], file}. */
export function cell(source) {
  const lines = source.split("\n"),
    aside = [];
  const blank = (n) => {
    aside.push([n + 1, lines[n]]);
    lines[n] = `${lines[n].match(/^\s*/)[0]}pass`;
  };
  let head = lines.findIndex((l) => l.trim());
  for (; head >= 0 && head < lines.length; head++) {
    const magic = lines[head].match(/^\s*%%(\w*)/);
    if (!magic) break;
    if (/^\s*%%(writefile|file)\s.*\.py[ \t]*$/.test(lines[head])) {
      const code = lines.map((l, n) => (n <= head ? "" : l)).join("\n");
      return { code, aside: [], file: true };
    }
    const last = PYTHON_MAGICS.has(magic[1]) ? head + 1 : lines.length;
    for (let n = head; n < last; n++) {
      aside.push([n + 1, lines[n]]);
      lines[n] = "";
    }
  }
  for (let n = 0; n < lines.length; n++) {
    if (!SHELL.test(lines[n]) || /^\s*[#@]/.test(lines[n]) || !starts(lines, n)) continue;
    while (lines[n].endsWith("\\") && n + 1 < lines.length) blank(n++);
    blank(n);
  }
  return { code: lines.join("\n"), aside };
}

const AUTOMAGIC =
  /^([ \t]*)(?:cd|ls|ll|pwd|pip|conda|mkdir|rmdir|rm|cp|mv|cat)\b(?!\s*[=(]|[.,:[]).*$/gm;

/** A cell without the lines that IPython takes for a magic without its sign. */
export const withoutAutomagics = (code) => code.replace(AUTOMAGIC, "$1pass");

/** Whether a line starts a statement: the lines before it leave no string and no bracket open. */
function starts(lines, n) {
  try {
    tokens(lines.slice(0, n).join("\n"));
    return !lines[n - 1]?.endsWith("\\");
  } catch (e) {
    if (e instanceof NotPython) return false;
    throw e;
  }
}

/** [number, source] of each code cell; throws a sentence if the text is no notebook. */
export function codeCells(text) {
  let nb;
  try {
    nb = JSON.parse(text);
  } catch {
    throw new NotPython(null, "it is not a notebook: its JSON cannot be read");
  }
  if (!Array.isArray(nb?.cells))
    throw new NotPython(
      null,
      "it contains no cells; open and save notebooks before nbformat 4 in Jupyter first",
    );
  return nb.cells.flatMap((c, i) => {
    const source = Array.isArray(c?.source) ? c.source.join("") : c?.source;
    if (typeof source !== "string")
      throw new NotPython(
        null,
        `its cell ${i} has no source; open and save the notebook in Jupyter first`,
      );
    return c.cell_type === "code" ? [[i, source]] : [];
  });
}
