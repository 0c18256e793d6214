// What of 2021's transformers and datasets a script or notebook uses, by the library's own table: the rules of `nlp-tour migrate`, without the libraries.
import { NotPython, cell, codeCells, statements, withoutAutomagics } from "./scan.mjs";

const LIBRARIES = ["transformers", "datasets", "huggingface_hub"],
  FORMER = ["nlp", "pytorch_transformers", "pytorch_pretrained_bert"],
  OURS = "nlp_tour.all",
  OTHERS = ["diffusers", "sentence_transformers", "setfit"]; // libraries with like names
const root = (name) => name.split(".")[0],
  last = (name) => name.slice(name.lastIndexOf(".") + 1),
  before = (name) => name.slice(0, Math.max(0, name.lastIndexOf(".")));

// ---- the table
/** The table of 2021, ready for questions. `rows` is names_2021.json. */
export function tableOf(rows) {
  const pattern = (name) =>
    new RegExp(
      `^${name
        .replace(/[.+^${}()|\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".")}$`,
    );
  const of = (kind) => rows.filter((e) => e.kind === kind);
  const kinds = {};
  for (const kind of ["name", "module", "method", "attribute", "argument", "use"]) {
    const plain = new Map(),
      patterns = [];
    for (const e of of(kind))
      if (/[*[?]/.test(e.name)) patterns.push([pattern(e.name), e]);
      else plain.set(e.name, [...(plain.get(e.name) ?? []), e]);
    kinds[kind] = { plain, patterns };
  }
  const all = (kind, name) => [
    ...(kinds[kind].plain.get(name) ?? []),
    ...kinds[kind].patterns.filter(([p]) => p.test(name)).map(([, e]) => e),
  ];
  const find = (kind, name, owner) =>
    all(kind, name).find((e) => owner === undefined || e.owner === owner);
  const members = (name) =>
    [...all("method", name), ...all("attribute", name)].filter(
      (e) => !e.owner.startsWith("accelerate"),
    );
  const table = { find, members, args: {}, rows };
  for (const [kind, owners] of Object.entries(OWNERS)) {
    const full = owners.map((o) => (o.startsWith("datasets") ? o : `transformers.${o}`));
    const own = full.flatMap((o) => of("argument").filter((e) => e.owner === o));
    table.args[kind] = new Map(own.map((e) => [e.name, e]));
  }
  table.words = oldWords(table);
  return table;
}

/** Old uses in a line that is not Python: of the shell, or of IPython. */
function oldWords({ rows, args }) {
  const names = rows.filter((e) => e.kind === "name" && /^\w+$/.test(e.name)).map((e) => e.name);
  const old = `(?:${names.join("|")}|TF[A-Z]\\w+)\\b`,
    keys = [...new Set(Object.values(args).flatMap((m) => [...m.keys()]))].sort().join("|");
  return new RegExp(`\\b${old}(?=\\()|\\bimport\\b.*?\\b${old}|(?<=[(,])\\s*(?:${keys})\\s*=(?!=)`);
}

/** The entry of a name that its module no longer has, or undefined. */
export function lostName(table, module, name) {
  const other = (e) => root(e.owner) !== root(module) && LIBRARIES.includes(root(module));
  const entry =
    table.find("name", name, module) ??
    table.find("name", name, root(module)) ??
    [table.find("name", name)].find((e) => e && !other(e));
  if (!entry || entry.owner === module || deadModule(table, module)) return entry;
  // The module lives on, and the entry is about another one: what is in both?
  const [its, here] = [entry.owner, module].map((m) => m.replace("file_utils", "utils"));
  const stayed =
    /^is_/.test(name) && /^transformers\.(utils|training_args|testing_utils)/.test(module);
  if (
    its === here ||
    (its === "transformers.utils" && module === "transformers" && !/^is_/.test(name))
  )
    return entry;
  return entry.owner === root(module) && !stayed ? entry : undefined;
}

const deadModule = (table, module) => table.find("module", module);

/** The module of a library's earlier name under today's. */
function todaysLibrary(module) {
  if (!FORMER.includes(root(module)) || !module.includes(".")) return module;
  const part = module.slice(root(module).length + 1),
    parts = { modeling: "modeling_bert", tokenization: "tokenization_bert" };
  return `${root(module) === "nlp" ? "datasets" : "transformers"}.${parts[part] ?? part}`;
}

// ---- what names mean
const FAMILIES = [
  [/Tokenizer(Fast)?$/, "tokenizer"],
  [/TrainingArguments$/, "arguments"],
  [/Trainer$/, "trainer"],
  [/^pipeline$|Pipeline$/, "pipeline"],
  [/^load_(dataset|from_disk)$|Dataset(Dict)?$/, "dataset"],
  [/^HfArgumentParser$/, "parser"],
  [/Processor$|Extractor$/, "processor"],
  [/Callback$/, "callback"],
  [/Config$|Callback|Arguments$|Output|^[a-z]|Collator/, "other"],
  [/Model|For[A-Z]/, "model"],
];
const BODIES =
  "model|student|teacher|bert|roberta|gpt2?|distilbert|albert|electra|xlnet|transformer|camembert|longformer";
// Copies of a library's modules.
const VENDORED = /^\..*(modeling|configuration|tokenization|trainer)_utils(_base)?$/;
const CUSTOMS = [
  [/tokenizer(_?\w{1,4})?$|^tok$/i, "tokenizer"],
  [/trainer$/, "trainer"],
  [/^train(ing)?_args$/, "arguments"],
  [new RegExp(`^(\\w+_)?(${BODIES})$`), "model"],
];
// What 2021's datasets had: a package of your own with that name has none of it.
const DATASETS = new Set(
  `Dataset DatasetDict IterableDataset IterableDatasetDict load_dataset load_dataset_builder load_from_disk load_metric
list_datasets list_metrics concatenate_datasets interleave_datasets inspect_dataset inspect_metric Features Value ClassLabel
Sequence Translation TranslationVariableLanguages Array2D Array3D Array4D Array5D Audio Image Split SplitGenerator DatasetInfo
MetricInfo Metric NamedSplit BuilderConfig GeneratorBasedBuilder ArrowBasedBuilder DatasetBuilder DownloadConfig DownloadManager
DownloadMode GenerateMode set_caching_enabled get_dataset_config_names get_dataset_split_names get_dataset_infos ReadInstruction
arrow_dataset arrow_reader arrow_writer builder config data_files dataset_dict download features filesystems fingerprint info
inspect io iterable_dataset load logging metric naming search splits streaming table tasks utils`.split(
    /\s+/,
  ),
);
const familyOf = (name, rules) => rules.find(([rule]) => rule.test(name))?.[1] ?? "";
const dotted = (node) => {
  if (node?.kind === "name") return node.name;
  const owner = node?.kind === "attribute" && dotted(node.value);
  return owner ? `${owner}.${node.name}` : "";
};
const text = (node) => (node?.kind === "string" ? node.value : "");

/** The meaning of the names of one file. */
export class Known {
  names = new Map(); // local name -> [module, name] in a library
  modules = new Map(); // local name -> module of a library
  made = new Map(); // variable -> its family; "own" for the file's own
  local = new Set(); // variables made by classes of the file
  assigned = new Set(); // names that are assigned to
  classes = new Map(); // class of the file -> its family
  defined = new Set(); // functions, methods, parameters and fields
  functions = new Set();
  inits = new Set(); // classes of the file with an __init__
  tokenize = new Set(); // classes of the file with a _tokenize
  posts = new Set(); // classes of the file that call post_init
  used = new Map(); // module's local name -> attributes read from it
  outputs = new Map(); // variables that hold a model's outputs -> whether that is sure
  returnsTuples = false;
  accelerates = false; // whether the file imports accelerate

  /** `free` are the names that the file reads and never binds. */
  constructor(foreign = [], free = [], table = null) {
    Object.assign(this, { foreign, free, table });
  }
  /** The names that a star import brings, as far as the table and their own look tell. */
  brought(module) {
    const its = (name) => familyOf(name, FAMILIES) !== "other" && /^[A-Z]/.test(name);
    const known = (name) => its(name) && familyOf(name, FAMILIES);
    return this.free
      .filter((n) => known(n) || OWNERS[n] || lostName(this.table, module, n))
      .map((name) => ({ name }));
  }
  isLibrary(module) {
    return (
      [...LIBRARIES, ...FORMER, "nlp_tour"].includes(root(module)) &&
      !this.foreign.includes(root(module))
    );
  }
  get isNew() {
    return [...this.names.values()].some(([module]) => root(module) === "nlp_tour");
  }
  origin(node) {
    const name = dotted(node);
    if (this.names.has(name)) return this.names.get(name);
    const [local, ...deep] = before(name).split("."),
      module = this.modules.get(local),
      isClass = /^[A-Z]/.test(last(name)) && !/^[A-Z]/.test(deep[0] ?? "");
    return module && (!deep.length || isClass) ? [[module, ...deep].join("."), last(name)] : null;
  }

  /** The family of what a call returns. */
  called({ func }) {
    const opens = func.kind === "attribute" && /^from_(pretrained|config)$/.test(func.name),
      maker = opens ? func.value : func;
    const origin = this.origin(maker),
      name = dotted(maker);
    if (origin) return familyOf(origin[1], FAMILIES);
    if (this.classes.has(name)) return this.classes.get(name);
    if (opens) return familyOf((maker.code ?? "").toLowerCase(), [...CUSTOMS, [/model/, "model"]]);
    return last(name).endsWith("TrainingArguments") ? "arguments" : "";
  }

  /** [family, whether it is sure] of an expression; `inside` is the class that it stands in. */
  family(node, inside) {
    let name = dotted(node);
    if (node.kind === "call") {
      if (dotted(node.func) !== "super") return [this.called(node), true];
      name = "self";
    }
    if (name === "self" || name === "cls") return [this.classes.get(inside) ?? "own", true];
    if (name === "args" && this.classes.get(inside) === "callback") return ["arguments", true];
    if (this.made.has(name)) return [this.made.get(name), this.made.get(name) !== ""];
    const guess = name ? familyOf(last(name), CUSTOMS) : "",
      inTrainer = this.classes.get(inside) === "trainer";
    if (name === "self.args" && inTrainer) return ["arguments", true];
    if (name.startsWith("self.model") && inTrainer) return ["model", false];
    return [guess, ["tokenizer", "trainer", "arguments"].includes(guess)];
  }
}

const notes = {
  from(known, { module, names }) {
    known.accelerates ||= root(module) === "accelerate";
    if (module.startsWith(".") || !known.isLibrary(module))
      names.forEach((n) => {
        known.names.delete(n.alias ?? n.name);
        if (OTHERS.includes(root(module)) || VENDORED.test(module)) known.classes.set(n.alias ?? n.name, "own");
      });
    else
      names
        .flatMap((n) => (n.name === "*" ? known.brought(module) : [n]))
        .forEach((n) => known.names.set(n.alias ?? n.name, [module, n.name]));
  },
  import(known, { names }) {
    for (const { name, alias } of names)
      if (known.isLibrary(name)) known.modules.set(alias ?? root(name), alias ? name : root(name));
  },
  class(known, { name, bases }) {
    known.names.delete(name);
    let family = "own";
    for (const base of bases) {
      const origin = known.origin(base),
        own = dotted(base);
      let found = origin ? familyOf(origin[1], FAMILIES) : known.classes.get(own);
      if (found === undefined && !["object", "nn.Module", "torch.nn.Module"].includes(own))
        found = "";
      family = found ?? family;
    }
    known.classes.set(name, family);
  },
  def(known, { name, params, inside }) {
    if (name === "__init__") known.inits.add(inside);
    if (name === "_tokenize") known.tokenize.add(inside);
    known.functions.add(name);
    known.defined.add(name);
    known.names.delete(name);
    for (const p of params.filter((x) => x.name)) {
      known.defined.add(p.name);
      const origin = p.annotation && known.origin(p.annotation),
        family = origin ? familyOf(origin[1], FAMILIES) : "";
      if (family && !known.made.has(p.name)) known.made.set(p.name, family);
    }
  },
  annotated(known, { target }) {
    known.defined.add(dotted(target));
    known.names.delete(dotted(target));
  },
  assign(known, { targets, value }) {
    for (const target of targets) {
      if (target.kind === "attribute") target.stored = true;
      if (target.kind === "attribute" && dotted(target.value) === "self")
        known.defined.add(target.name);
      if (value.kind === "call") noteCall(known, target, value);
      else if (known.made.has(dotted(value)))
        known.made.set(dotted(target), known.made.get(dotted(value)));
      if (target.kind === "name") {
        known.names.delete(target.name);
        known.assigned.add(target.name);
      }
    }
  },
};

// Methods that return their own.
const KEEPING = /^(map|filter|shuffle|select|to|cuda|half|eval)$/;

function noteCall(known, target, call) {
  const method = call.func.kind === "attribute" ? call.func.name : "";
  if (target.kind === "tuple" && /^(parse_args_into|parse_json)/.test(method)) {
    const parts = known.made.get(dotted(call.func.value)) ?? [];
    target.elements.forEach((e, i) => i < parts.length && known.made.set(dotted(e), parts[i]));
    return;
  }
  let family = known.called(call);
  if (family === "parser" && call.args.length) {
    const classes = call.args[0].value,
      parts = classes.kind === "tuple" ? classes.elements : [classes];
    family = parts.map((p) => known.classes.get(dotted(p)) || known.called({ func: p }));
  }
  if (!family && KEEPING.test(method)) {
    const held = call.func.value; // Model.from_pretrained(…).cuda()
    family = held.kind === "call" ? known.called(held) : (known.made.get(dotted(held)) ?? "");
  }
  const name = dotted(target),
    maker = dotted(call.func),
    opened = method === "from_pretrained" ? dotted(call.func.value) : maker;
  if (name && (family || (!known.made.has(name) && /^(?!\w*DataParallel$)[A-Z]/.test(last(maker)))))
    known.made.set(name, family);
  const forwards = opened === maker || known.functions.has("forward");
  if (name && known.classes.has(opened) && forwards) known.local.add(name);
}

function noteNodes(known, { nodes, lambdas, inside }) {
  lambdas.forEach((name) => known.defined.add(name));
  for (const node of nodes) {
    if (node.kind === "attribute" && node.value.kind === "name") {
      const local = node.value.name;
      known.used.set(local, (known.used.get(local) ?? new Set()).add(node.name));
    }
    if (node.kind === "call" && dotted(node.func) === "self.post_init") known.posts.add(inside);
    if (node.kind === "call")
      known.returnsTuples ||= node.args.some(
        (a) => a.keyword === "return_dict" && a.value.text === "False",
      );
  }
}

/** The names that statements read and never bind. */
function unbound(all) {
  const bound = all.flatMap(({ kind, name, names, params, targets, lambdas, loops }) => [
    ...(kind === "def" || kind === "class" ? [name] : []),
    ...(names ?? []).map((n) => n.alias ?? root(n.name)),
    ...(params ?? []).map((p) => p.name),
    ...(targets ?? []).flatMap((t) => t.elements ?? [t]).map(dotted),
    ...loops.map((l) => l.target),
    ...lambdas,
  ]);
  return [...new Set(all.flatMap((s) => s.reads))].filter((n) => !bound.includes(n)).sort();
}

/** Read what the names of a file mean, over all its cells. */
export function meanings(cells, table) {
  const free = unbound(cells.flat());
  const read = (foreign) => {
    const known = new Known(foreign, free, table);
    for (const s of cells.flat()) {
      notes[s.kind]?.(known, s);
      noteNodes(known, s);
    }
    return known;
  };
  const known = read([]),
    fromIt = [...known.names.values()].filter(([m]) => root(m) === "datasets");
  const isHugging = ([m, n]) => DATASETS.has(n) || DATASETS.has(m.split(".")[1]);
  return fromIt.length && !fromIt.some(isHugging) ? read(["datasets"]) : known;
}

// ---- old uses
const OWNER_FAMILIES = {
  PreTrainedTokenizerBase: "tokenizer",
  BatchEncoding: "encoding",
  Trainer: "trainer",
  TrainingArguments: "arguments",
  PreTrainedModel: "model",
  GenerationMixin: "model",
  GPT2LMHeadModel: "model",
  PreTrainedConfig: "other",
  Dataset: "dataset",
  Pipeline: "pipeline",
};
const OWNERS = {
  TrainingArguments: ["TrainingArguments"],
  Trainer: ["Trainer"],
  "Trainer.train": ["Trainer.train"],
  pipeline: ["pipeline", "Pipeline.__call__"],
  "a pipeline's call": ["Pipeline.__call__"],
  from_pretrained: ["PreTrainedModel.from_pretrained", "PreTrainedTokenizerBase.from_pretrained"],
  "a tokenizer's call": ["PreTrainedTokenizerBase.__call__"],
  "a model's call": ["PreTrainedModel.forward"],
  push_to_hub: ["PreTrainedModel.push_to_hub"],
  generate: ["GenerationMixin.generate"],
  AdamW: ["AdamW"],
  "a tokenizer's class": ["BertTokenizer", "GPT2Tokenizer"],
  DatasetInfo: ["datasets.DatasetInfo"],
  load_dataset: ["datasets.load_dataset"],
};
const BY_FILES =
  /^(Bert|DistilBert|Electra|MobileBert|Roberta|GPT2|OpenAIGPT|Bart|Longformer)Tokenizer/;
const BY_PIECES =
  /^(T5|XLMRoberta|XLNet|Albert|MBart|MBart50|Pegasus|BigBird|DebertaV2)Tokenizer/;
const TOKENIZING = /^(encode|encode_plus|batch_encode_plus|__call__|prepare_seq2seq_batch)$/;
const CALLS = {
  tokenizer: "a tokenizer's call",
  model: "a model's call",
  pipeline: "a pipeline's call",
};
const DISTINCT = {
  pad_to_max_length: CALLS.tokenizer,
  is_pretokenized: CALLS.tokenizer,
  lm_labels: CALLS.model,
  masked_lm_labels: CALLS.model,
};
const GONE_TASKS =
  /^(summarization|translation|text2text-generation|question-answering|conversational|visual-question-answering|vqa|image-to-text)$/;
const OWN_MODEL = "a model of one's own without post_init",
  OWN_TOKENIZER = "a tokenizer of one's own that reads its vocabulary last";
const SIGNATURES = {
  compute_loss: "num_items_in_batch",
  training_step: "num_items_in_batch",
  log: "start_time",
  _get_train_sampler: "train_dataset",
};
const ACCELERATE = { accelerator: "Accelerator", DistributedType: "DistributedType" };
const BATCH = /^(input_ids|attention_mask|token_type_ids|labels|lm_labels|mc_labels)$/;
const TAKERS = /^(list|tuple|iter|enumerate|zip|map)$/;

/** Whether `migrate` can join the organization and the name of a `push_to_hub`. */
function joins(args) {
  const given = (name) => args.find((a) => a.keyword === name)?.value,
    first = args.find((a) => a.keyword === null)?.value,
    parts = [given("organization"), first ?? given("repo_path_or_name") ?? given("repo_name")];
  const plain = (node) => node?.kind === "string" && /^\w[\w./-]*$/.test(node.value);
  return parts.every((node) => plain(node) || node?.kind === "name");
}

/** All old uses of one file; `report(line, name, way, today, kind)` hears each. */
class Finder {
  constructor(known, table, report) {
    Object.assign(this, { known, table, report });
  }

  /** A use that stays as it is: it runs through `nlp_tour.all`, or must be changed by hand. */
  left(line, name, entry, kind) {
    if (entry.how !== "told" && this.known.isNew) return;
    this.report(line, name, entry.how === "told" ? "hand" : "revived", entry.today, kind);
  }

  from({ line, module, names }) {
    if (module.startsWith(".") || root(module) === "nlp_tour" || !this.known.isLibrary(module))
      return;
    const isStar = names[0]?.name === "*",
      those = isStar ? this.known.brought(module) : names,
      way = those.length ? "migrate" : "hand";
    if (isStar) this.report(line, `from ${module} import *`, way, "name what you import", "import");
    for (const { name } of those) this.imported(line, module, name);
  }

  imported(line, imported, name) {
    const module = todaysLibrary(imported);
    if (module === "transformers.tokenization_utils" && /^_is_[a-z_]+$/.test(name)) {
      const today = `from transformers.tokenization_python import ${name}`;
      return this.report(line, name, "migrate", today, "name");
    }
    const entry = lostName(this.table, module, name),
      moved = deadModule(this.table, module);
    if (!entry && !moved) return;
    if (entry && entry.how !== "told")
      return this.report(line, name, "revived", entry.today, "name");
    if (entry)
      return this.report(line, name, entry.write ? "migrate" : "hand", entry.today, "name");
    const today = moved.write ? `from ${moved.write} import ${name}` : moved.today;
    const isElsewhere =
      moved.write || (/^[A-Z]/.test(name) && /transformers itself/.test(moved.today));
    this.report(line, name, isElsewhere ? "migrate" : "hand", today, "name");
  }

  import({ line, names }) {
    for (const { name, alias } of names) {
      if (!this.known.isLibrary(name) || root(name) === "nlp_tour") continue;
      const local = alias ?? root(name),
        moved = deadModule(this.table, name);
      const place = !(alias || local === name) ? (moved ? "" : name) : this.place(name, local);
      if (place === name) continue;
      if (!place) {
        if (moved) this.report(line, name, "hand", moved.today, "module");
        continue;
      }
      const lost = [...(this.known.used.get(local) ?? [])].sort().filter((n) => this.lost(name, n));
      if (!lost.length) this.report(line, local, "migrate", `import ${place}`, "module");
      for (const n of lost) this.report(line, n, "revived", this.lost(name, n).today, "name");
    }
  }

  /** The entry of a name or module that a module lost. */
  lost(module, name) {
    return lostName(this.table, module, name) ?? deadModule(this.table, `${module}.${name}`);
  }

  /** The module that has all that the code uses of a module, or "". */
  place(module, local) {
    const used = [...(this.known.used.get(local) ?? [])],
      moved = deadModule(this.table, module);
    const has = (place) => !deadModule(this.table, place) && !used.some((n) => this.lost(place, n));
    for (const place of [module, moved?.write]) if (place && has(place)) return place;
    const isOurs = (n) => {
      const entry = lostName(this.table, module, n);
      if (entry) return entry.how !== "told";
      return deadModule(this.table, `${module}.${n}`)?.write !== undefined || !this.lost(module, n);
    };
    return used.length && used.every(isOurs) ? OURS : "";
  }

  /** An attribute of an imported module that is gone. */
  lostAttribute(node) {
    const [local, ...rest] = dotted(node).split("."),
      module = this.known.modules.get(local);
    if (!module || !rest.length || this.known.assigned.has(local) || root(module) === "nlp_tour")
      return null;
    const place = this.place(module, local) || module;
    if (place === OURS) return null;
    const owner = [place, ...rest.slice(0, -1)].join("."),
      name = rest.at(-1);
    if (deadModule(this.table, owner)) return null;
    return this.lost(owner, name) ?? null;
  }

  /** [entry, whether it is sure] for a method or attribute that is gone. */
  member(node, inside) {
    const { known, table } = this,
      { name } = node,
      [family, sure] = known.family(node.value, inside);
    if (family === "arguments" && !node.stored) {
      const owner = "transformers.TrainingArguments";
      return [table.find("attribute", name, owner) ?? table.find("argument", name, owner), sure];
    }
    const isDistinct = name.length > 9 && name.replace(/^_+|_+$/g, "").includes("_");
    for (const entry of table.members(name)) {
      const owner = OWNER_FAMILIES[last(entry.owner)] ?? "processor",
        value = dotted(node.value);
      const own =
        known.defined.has(name) && (["self", "cls", ""].includes(value) || known.local.has(value));
      if (own || node.stored) continue;
      if (family === owner) return [entry, sure];
      if (family === "" && isDistinct && !known.defined.has(name)) return [entry, false];
    }
    return [undefined, false];
  }

  attribute(node, inside) {
    const held = this.known.accelerates && ACCELERATE[last(dotted(node.value))];
    if (held) {
      const entry = this.table.find("attribute", node.name, `accelerate.${held}`);
      if (entry && !node.stored)
        this.report(node.line, node.name, "migrate", entry.today, entry.kind);
      return;
    }
    const lost = this.lostAttribute(node);
    if (lost) return this.report(node.line, node.name, "hand", lost.today, "name");
    const [entry, sure] = this.member(node, inside);
    if (!entry || (entry.write === "__call__" && node.called)) return;
    const isName = /^[A-Za-z_]\w*$/.test(entry.write ?? "") && entry.write !== "__call__";
    const written = isName && sure && (entry.kind !== "argument" || entry.how === "renamed");
    if (written || this.inPlace(node, entry))
      this.report(node.line, node.name, "migrate", entry.today, entry.kind);
    else if (entry.kind === "argument")
      this.report(node.line, node.name, "hand", entry.today, entry.kind);
    else this.left(node.line, node.name, entry, entry.kind);
  }

  /** Whether a method changes a data set in place that today's gives back. */
  inPlace({ name, value, called }, { today }) {
    let owner = value;
    while (owner.kind === "subscript") owner = owner.value;
    const same = today.startsWith(`ds = ds.${name.slice(0, -1)}(`);
    return called && same && this.isDataSet(dotted(owner));
  }

  /** Whether a name holds a data set, as far as the file or its own name tells. */
  isDataSet(name) {
    const { made, names } = this.known;
    if (made.has(name)) return made.get(name) === "dataset";
    return /dataset$/i.test(name) && [...names.values()].some(([m]) => root(m) === "datasets");
  }

  call(node, inside) {
    for (const use of this.oldWays(node, inside)) {
      const entry = this.table.find("use", use);
      this.left(node.line, use, entry, "use");
    }
    this.arguments(node, inside);
    if (node.func.kind !== "attribute") return;
    const [entry, sure] = this.member(node.func, inside);
    if (entry?.write !== "__call__") return;
    if (entry.how === "told" && sure)
      this.report(node.func.line, node.func.name, "migrate", entry.today, entry.kind);
    else this.left(node.func.line, node.func.name, entry, entry.kind);
  }

  oldWays(call, inside) {
    const argument = (place, name) =>
      call.args.find((a, i) => (a.keyword === null && i === place) || a.keyword === name)?.value;
    const called = this.known.origin(call.func)?.[1],
      first = argument(0, "task"),
      uses = [];
    if (called === "pipeline" && GONE_TASKS.test(text(first).split("_")[0]))
      uses.push("a task that pipeline lost");
    if (
      called === "load_metric" &&
      /^(glue|super_glue|xtreme_s)$/.test(text(first)) &&
      argument(1, "config_name")
    )
      uses.push("load_metric with a task");
    if (text(argument(-1, "return_tensors")) === "tf") uses.push('return_tensors="tf"');
    if (call.func.name === "save_vocabulary" && !this.known.functions.has("save_vocabulary"))
      uses.push("save_vocabulary of a fast tokenizer");
    const origin = this.known.origin(call.func);
    if (origin && BY_PIECES.test(origin[1]) && argument(0, "vocab_file"))
      uses.push("a tokenizer by its sentencepiece file");
    const byPlace = call.args.filter((a) => a.keyword === null && !a.star);
    if (byPlace.length > 4 && this.known.made.get(dotted(call.func)) === "model")
      uses.push("five arguments by place");
    if (this.isColumn(first) && this.known.family(call.func, inside)[0] === "tokenizer")
      uses.push("a column into a tokenizer");
    return uses;
  }

  isColumn(node) {
    let names = 0;
    for (; node?.kind === "subscript"; node = node.value) {
      if (!node.index) return false;
      names += text(node.index.kind === "tuple" ? node.index.elements[0] : node.index) !== "";
    }
    return names > 0 && this.known.made.get(dotted(node)) === "dataset";
  }

  /** [key of OWNERS, whether it is sure] for a call; undefined if it may be of any kind. */
  kindOfCall(func, inside) {
    const { known } = this,
      method = func.kind === "attribute" ? func.name : "",
      name = dotted(func),
      inClass = known.classes.get(inside);
    const own =
      ["", "self", "cls"].includes(before(name)) &&
      known.functions.has(last(name)) &&
      !known.made.has(name);
    const ownForward = name === "self" && known.functions.has("forward");
    if (own || ownForward || known.local.has(name) || ["own", ""].includes(known.classes.get(name)))
      return ["the file's own", true];
    if (/^(from_pretrained|push_to_hub|save_pretrained)$/.test(method)) {
      if (known.classes.get(dotted(func.value)) === "own") return ["the file's own", true];
      const [family, sure] = known.family(func.value, inside);
      const kind = method === "from_pretrained" ? method : "push_to_hub";
      return [kind, Boolean(known.origin(func.value)) || (sure && !["", "own"].includes(family))];
    }
    const KINDS = { arguments: "TrainingArguments", trainer: "Trainer" };
    if (method === "__init__" && KINDS[inClass]) return [KINDS[inClass], true];
    const origin = known.origin(func);
    if (origin && BY_FILES.test(origin[1])) return ["a tokenizer's class", true];
    if (origin) {
      const kind = ["TrainingArguments", "Trainer"].find((k) => origin[1].endsWith(k));
      return [kind ?? origin[1], true];
    }
    if (KINDS[known.classes.get(name)]) return [KINDS[known.classes.get(name)], true];
    if (TOKENIZING.test(method))
      return [CALLS.tokenizer, known.family(func.value, inside)[0] === "tokenizer"];
    if (method === "generate") {
      const [family, sure] = known.family(func.value, inside);
      return [family === "model" ? "generate" : undefined, sure];
    }
    if (method === "train")
      return ["Trainer.train", known.family(func.value, inside)[0] === "trainer"];
    const [family, sure] = known.family(func, inside);
    return [CALLS[family], sure && family in CALLS];
  }

  arguments({ func, args }, inside) {
    const [kind, sure] = this.kindOfCall(func, inside),
      given = new Set(args.map((a) => a.keyword).filter(Boolean));
    for (const { keyword, value, line } of args) {
      const entry = keyword && this.table.args[kind ?? DISTINCT[keyword]]?.get(keyword);
      if (!entry) continue;
      const rule = entry.write,
        byValue = rule !== null && typeof rule === "object";
      const isKnown =
        rule !== undefined && rule !== null && (!byValue || Object.hasOwn(rule, value.text));
      if (sure && keyword === "organization" && joins(args)) {
        this.report(line, keyword, "migrate", entry.today, "argument");
        continue;
      }
      if (!sure || !isKnown) {
        this.left(line, keyword, entry, "argument");
        continue;
      }
      const today = (byValue ? rule[value.text] : rule).split("=")[0];
      if (today && given.has(today))
        this.report(line, keyword, "hand", `${today}: both are passed, keep one`, "argument");
      else this.report(line, keyword, "migrate", entry.today, "argument");
      given.add(today);
    }
  }

  /** [whether an expression is a model's outputs, whether that is sure] */
  givesOutputs(node, inside) {
    const { known } = this;
    if (known.returnsTuples) return [false, false];
    if (node.kind === "name")
      return [known.outputs.has(node.name), known.outputs.get(node.name) ?? false];
    if (node.kind !== "call" || known.family(node.func, inside)[0] !== "model")
      return [false, false];
    const isKnown = known.made.get(dotted(node.func)) === "model",
      batch = node.args.some((a) => a.star === "**" || BATCH.test(a.keyword ?? ""));
    return [isKnown || (batch && known.names.size + known.modules.size > 0), isKnown];
  }

  /** A model's outputs that are taken for a tuple. */
  take(node, inside, line = node.line) {
    const [found, sure] = this.givesOutputs(node, inside);
    if (!found) return;
    const entry = this.table.find("use", "outputs unpacked as a tuple");
    if (sure) this.report(line, entry.name, "migrate", entry.today, "use");
    else this.left(line, entry.name, entry, "use");
  }

  /** Loops, stars and functions like `list`, and several targets. */
  takeAll({ kind, line, targets, value, loops, nodes, inside }, keyed) {
    for (const { node, target } of loops)
      if (!dotted(node) || !keyed.has(`${dotted(node)}[${target}]`)) this.take(node, inside);
    for (const { kind: called, func, args } of nodes)
      for (const { star, keyword, value: given } of called === "call" ? args : [])
        if (star === "*" || (TAKERS.test(dotted(func)) && !keyword && !star))
          this.take(given, inside);
    if (kind === "assign" && targets[0].kind === "tuple") this.take(value, inside, line);
  }

  /** What variables hold from here on. */
  assign({ targets, value, inside }) {
    const { outputs } = this.known,
      [found, sure] = this.givesOutputs(value, inside);
    for (const target of targets) {
      for (const part of target.elements ?? [target]) outputs.delete(dotted(part));
      if (found && target.kind === "name") outputs.set(target.name, sure);
    }
  }

  /** A model's or a tokenizer's class of the file's own, as it was written in 2021. */
  class({ name, bases, line }) {
    const hasInit = this.known.inits.has(name);
    for (const base of bases) {
      const origin = this.known.origin(base),
        its = last(dotted(base)),
        own = this.known.classes.get(its) === "model";
      let use = hasInit && origin && its === "PreTrainedTokenizer" && OWN_TOKENIZER;
      if (origin && (BY_FILES.test(its) || BY_PIECES.test(its)) && this.known.tokenize.has(name))
        use = "_tokenize of a tokenizer's class of one's own";
      else if (hasInit && (origin || own) && /^(?!TF|Flax)\w*Pre[Tt]rained\w*Model$/.test(its)) {
        if (this.known.posts.has(name)) return;
        use = OWN_MODEL;
      }
      if (use) return this.left(line, use, this.table.find("use", use), "use");
    }
  }

  def({ name, params, inside, nameLine }) {
    const generates = name === "prepare_inputs_for_generation";
    if (generates && this.known.classes.get(inside) === "model") {
      const entry = this.table.find("use", `old signature of ${name}`);
      if (params.some((p) => p.name === "past")) this.left(nameLine, name, entry, entry.kind);
      return;
    }
    if (this.known.classes.get(inside) !== "trainer") return;
    const names = params.map((p) => p.name),
      takesAll = params.some((p) => p.star && p.name);
    const old = SIGNATURES[name] && !names.includes(SIGNATURES[name]) && !takesAll;
    const entry = old
      ? this.table.find("use", `old signature of ${name}`)
      : this.table.find("method", name, "transformers.Trainer");
    if (entry) this.left(nameLine, name, entry, entry.kind);
  }

  read(statements) {
    const pairs = statements.flatMap((s) => s.nodes).filter((n) => n.kind === "subscript");
    const keyed = new Set(pairs.map((n) => `${dotted(n.value)}[${dotted(n.index ?? {})}]`));
    for (const s of statements) {
      if (s.kind === "def") this.known.outputs.clear();
      this.takeAll(s, keyed);
      this[s.kind]?.(s);
      for (const node of s.nodes)
        if (node.kind === "attribute" || node.kind === "call") this[node.kind](node, s.inside);
    }
  }
}

// ---- files
/** The statements of code; in a cell, a magic may lack its sign. */
function parse(code, isCell) {
  try {
    return statements(code);
  } catch (e) {
    if (!(e instanceof NotPython) || !isCell) throw e;
    return statements(withoutAutomagics(code));
  }
}

/** Old uses of code cells, [number, source] each; a script is one cell, null. */
function inCells(cells, table, found) {
  const read = new Map(),
    lines = new Map(cells.map(([i, source]) => [i, source.split("\n")]));
  const report = (i) => (line, name, way, today, kind) =>
    found.push({
      cell: i,
      line,
      name,
      way,
      today,
      kind,
      code: lines.get(i)[line - 1]?.trim() ?? "",
    });
  for (const [i, source] of cells) {
    const { code, aside, file } = i === null ? { code: source, aside: [] } : cell(source);
    for (const [line, held] of aside) {
      const word = held.match(table.words);
      if (word)
        report(i)(
          line,
          word[0].trim(),
          "hand",
          "a line for IPython or the shell: change it there",
          "line",
        );
    }
    try {
      const parsed = parse(code, i !== null);
      if (file)
        new Finder(meanings([parsed], table), table, (...a) =>
          report(i)(a[0], a[1], "hand", ...a.slice(3)),
        ).read(parsed);
      else read.set(i, parsed);
    } catch (e) {
      if (!(e instanceof NotPython) || i === null) throw e;
      if (!file) report(i)(e.line, "this cell", "hand", `it is not Python 3, ${e.message}`, "cell");
    }
  }
  const known = meanings([...read.values()], table);
  for (const [i, parsed] of read) new Finder(known, table, report(i)).read(parsed);
}

const isNotebook = (source) => /^\s*\{\s*"/.test(source);

/** Every old use in a script or notebook: {cell, line, name, way, today, kind, code}. `way` is "migrate" (`nlp-tour migrate` writes today's), "revived" (it runs through `nlp_tour.all`) or "hand". Throws `NotPython` if the text cannot be read. */
export function findings(source, table, notebook = isNotebook(source)) {
  const found = [],
    text = source.replace(/^\uFEFF/, "");
  try {
    inCells(notebook ? codeCells(text) : [[null, text]], table, found);
  } catch (e) {
    if (e instanceof RangeError) throw new NotPython(null, "it is nested too deeply");
    throw e;
  }
  return found.sort((a, b) => (a.cell ?? 0) - (b.cell ?? 0) || a.line - b.line);
}
