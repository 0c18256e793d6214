"The files of a tokenizer and transformers: one set of ids, however a folder is opened."

import copy
import importlib.util
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny as generating
import tiny_encoders as tiny
import transformers
from packaging.version import Version
from tokenizers import Regex, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Rust

from nlp_tour import all as tour
from nlp_tour.base.errors import InputError
from nlp_tour.engine.tokens import Tokenizer
from nlp_tour.hub.tokenizer_files import reads_alone
from nlp_tour.hub.tokenizers import load_tokenizer
from nlp_tour.pipeline import pipeline

TEXTS = [
    "She saw A quiet Film",
    "café Zürich señor",
    "[MASK] of <mask> [SEP] </s>",
    "東京 river",
    "two  spaces ",
    "an <ent> here",
    "a\u0301 ｆｕｌｌ … ﬁlm",
]
FILES = {
    "bert": (tiny.wordpiece, {"tokenizer_class": "BertTokenizer", "do_lower_case": False}),
    "distilbert": (tiny.wordpiece, {"tokenizer_class": "BertTokenizer", "do_lower_case": False}),
    "roberta": (tiny.byte_level, {"tokenizer_class": "RobertaTokenizer"}),
    "xlm-roberta": (tiny.unigram, {"tokenizer_class": "XLMRobertaTokenizer"}),
}
ENTITY = {"content": "<ent>", "normalized": True, "special": False}
FLAGS = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}


NAMES = "[PAD] [UNK] [CLS] [SEP] [MASK] <s> <pad> </s> <unk> <mask>".split()


def special(rust):
    "A small vocabulary whose special tokens are named, as in a tokenizer.json."
    rust.add_special_tokens([name for name in NAMES if rust.token_to_id(name) is not None])
    return rust


@pytest.fixture
def saved(tmp_path):
    "Saves a tokenizer's files as a model's folder; its settings may change."

    def save(family, change=None, files=None):
        make, settings = FILES[family]
        rust = special(make())
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        rust.save(str(folder / "tokenizer.json"))
        size = rust.get_vocab_size() + 1
        contents = {
            "config.json": {"model_type": family, "vocab_size": size},
            "tokenizer_config.json": settings | {"model_max_length": 64} | (change or {}),
            **(files or {}),
        }
        for name, content in contents.items():
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        return folder

    return save


def ids(tok, text):
    return tok(text, verbose=False)["input_ids"]


CHANGES = {
    "as saved": {},
    "lower case": {"do_lower_case": True},
    "accents": {"strip_accents": True},
    "Chinese": {"tokenize_chinese_chars": False},
    "separator": {"sep_token": "[MASK]"},
    "start": {"cls_token": {"__type": "AddedToken", **FLAGS, "content": "[MASK]", "special": True}},
    "unknown mask": {"mask_token": "<ent>"},
    "more special tokens": {"additional_special_tokens": ["<ent>"]},
    "extra special tokens": {"extra_special_tokens": ["<ent>"]},
    "split": {"split_special_tokens": True},
    "no class that builds": {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": True},
    "another name of the class": {"tokenizer_class": "BertTokenizerFast", "do_lower_case": True},
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_settings_of_a_wordpiece_tokenizer_are_heard(saved, change):
    folder = saved("bert", CHANGES[change])
    right = transformers.AutoTokenizer.from_pretrained(folder)
    fast = Tokenizer.open(folder)
    for text in TEXTS:
        assert (
            fast.backend.encode(text).ids == ids(right, text) == ids(load_tokenizer(folder), text)
        )
        assert [w.encoding.ids for w in fast.windows([text], length=4)[0]][0] == fast.cut(
            text, 4, 1
        )[0].ids
    assert fast.backend.encode("a", "the").ids == right("a", "the")["input_ids"]
    assert right.cls_token_id in (None, fast.cls_id)


@pytest.mark.parametrize("described", [True, False])
def test_added_tokens_are_heard(saved, described):
    "In tokenizer_config.json, or in the files of older versions."
    rust = special(tiny.wordpiece())
    known = {
        i: {**FLAGS, "content": str(t.content), "special": True}
        for i, t in rust.get_added_tokens_decoder().items()
    }
    known[rust.get_vocab_size()] = FLAGS | ENTITY
    files = {
        "added_tokens.json": {"<ent>": rust.get_vocab_size()},
        "special_tokens_map.json": {"sep_token": "[MASK]"},
    }
    change = {"added_tokens_decoder": known} if described else {}
    folder = saved("bert", change, None if described else files)
    right = transformers.AutoTokenizer.from_pretrained(folder)
    fast = Tokenizer.open(folder)
    for text in TEXTS:
        assert fast.backend.encode(text).ids == ids(right, text)


@pytest.mark.parametrize(
    "change", [{}, {"add_prefix_space": True}, {"trim_offsets": False}, {"sep_token": "<pad>"}]
)
def test_the_settings_of_a_byte_level_tokenizer_are_heard(saved, change):
    folder = saved("roberta", change)
    right = transformers.AutoTokenizer.from_pretrained(folder)
    fast = Tokenizer.open(folder).backend
    for text in TEXTS:
        found = right(text, return_offsets_mapping=True)
        encoding = fast.encode(text)
        assert encoding.ids == found["input_ids"]
        assert encoding.offsets == found["offset_mapping"]


@pytest.mark.parametrize("family", FILES)
def test_files_that_agree_need_no_transformers(saved, family):
    folder = saved(family)
    assert reads_alone(folder, Rust.from_file(str(folder / "tokenizer.json")))
    right = load_tokenizer(folder)
    for text in TEXTS:
        assert Tokenizer.open(folder).backend.encode(text).ids == ids(right, text)


PEGASUS = [(token, 0.0) for token in ("<pad>", "</s>", "<mask_1>", "<mask_2>", "<unk>")]
# What transformers 5 builds anew, and 4.57 took from tokenizer.json.
LOST = {
    "mbart": transformers.MBartTokenizer,
    "mbart-50": transformers.MBart50Tokenizer,
    "deberta-v2": transformers.DebertaV2Tokenizer,
    "pegasus": lambda: transformers.PegasusTokenizer(vocab=PEGASUS),
    "nllb": transformers.NllbTokenizer,
    "albert": transformers.AlbertTokenizer,
    "big_bird": transformers.BigBirdTokenizer,
    "xlnet": transformers.XLNetTokenizer,
    "t5": transformers.T5Tokenizer,
    "barthez": transformers.BarthezTokenizer,
}


@pytest.mark.parametrize("family", LOST)
def test_what_only_tokenizer_json_says_counts(family, tmp_path):
    "Characters that are mapped, and spaces at the end: 4.57 used the file as it is."
    LOST[family]().save_pretrained(tmp_path)
    file = tmp_path / "tokenizer.json"
    rust = Rust.from_file(str(file))
    pieces = "▁ ▁two ▁spaces ▁here ▁é ▁abc ▁...".split() + list("abcdefghijklmnopqrstuvwxyz.é")
    first = sorted(rust.get_vocab(with_added_tokens=False).items(), key=lambda found: found[1])
    pieces = [piece for piece in pieces if piece not in dict(first)]
    unknown = rust.model.unk_id if hasattr(rust.model, "unk_id") else 3
    scores = [(piece, 0.0) for piece, _ in first] + [(piece, -1.0) for piece in pieces]
    rust.model = models.Unigram(scores, unknown)
    once = normalizers.Replace(Regex(" {2,}"), " ")
    rust.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Strip(left=False), once]
    )
    rust.pre_tokenizer = pre_tokenizers.Metaspace()
    rust.save(str(file))
    texts = ["ａｂｃ", "e\u0301", "…", "two  spaces   here", "here  "]
    right = [rust.encode(text, add_special_tokens=False).ids for text in texts]
    for opened in (load_tokenizer, tour.AutoTokenizer.from_pretrained):
        tok = opened(tmp_path)
        found = tok(texts, add_special_tokens=False)["input_ids"]
        assert found == right
        tok.save_pretrained(tmp_path / "again")
    again = load_tokenizer(tmp_path / "again")(texts, add_special_tokens=False)
    assert again["input_ids"] == right


def test_what_a_caller_asks_for_is_above_the_file(saved):
    folder = saved("xlm-roberta")
    tok = load_tokenizer(folder, add_prefix_space=False)
    stock = transformers.AutoTokenizer.from_pretrained(folder, add_prefix_space=False)
    assert ids(tok, "river") == ids(stock, "river") != ids(load_tokenizer(folder), "river")


def test_a_sentencepiece_file_keeps_its_table_of_characters(tmp_path):
    "Without tokenizer.json, by the rule of 4.57's converters; the numbers are 4.57.1's."
    sentencepiece = pytest.importorskip("sentencepiece")
    texts = ["so it is", "a long film", "a bad day", "abc so"] * 50
    (tmp_path / "texts").write_text("\n".join(texts))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "texts"),
        model_prefix=str(tmp_path / "sentencepiece.bpe"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    settings = {"tokenizer_class": "MBartTokenizer"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mbart"}))
    tok = load_tokenizer(tmp_path)
    assert ids(tok, "ａ ｆｉｌｍ  ") == ids(tok, "a film")


HERE = Path(__file__).parent
FOLDERS = json.loads((HERE / "golden" / "sentencepiece.json").read_text(encoding="utf-8"))


def of_sentencepiece(folder, family, cls=None):
    "A folder that holds a sentencepiece file and no tokenizer.json."
    found = FOLDERS["families"][family]
    model = HERE / "fixtures" / "sentencepiece" / f"{found['model']}.model"
    shutil.copy(model, folder / found["file"])
    settings = {"tokenizer_class": cls or found["class"]}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps({"model_type": family}))
    return found["ids"]


@pytest.mark.parametrize("family", FOLDERS["families"])
def test_a_sentencepiece_file_alone_gives_the_ids_of_4_57(family, tmp_path, capsys):
    pytest.importorskip("sentencepiece")
    right = of_sentencepiece(tmp_path, family)
    tok = load_tokenizer(tmp_path)
    again = tmp_path / "again"
    tok.save_pretrained(again)
    for opened in (tok, load_tokenizer(again), copy.deepcopy(tok)):
        found = [ids(opened, text) for text in FOLDERS["texts"]]
        assert found + [opened(*FOLDERS["pair"])["input_ids"]] == right
    assert "may give" not in capsys.readouterr().err


def test_what_is_not_measured_gets_a_sentence(tmp_path, capsys):
    pytest.importorskip("sentencepiece")
    of_sentencepiece(tmp_path, "llama", "CodeLlamaTokenizer")
    load_tokenizer(tmp_path)
    assert "a CodeLlamaTokenizer other ids than 4.57" in capsys.readouterr().err


# Pickles and copies
POOL = """
import json, sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from nlp_tour.pipeline import pipeline
if __name__ == "__main__":
    pipe = pipeline("sentiment-analysis", model=sys.argv[1], device="cpu", progress=False)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        answers = list(pool.map(pipe, ["Ada saw a film.", "The river was loud."]))
    print(json.dumps([answers, "torch" in sys.modules]))
    print(json.dumps(pipe(["Ada saw a film.", "The river was loud."])))
"""


def test_a_pipeline_goes_to_a_pool_of_processes(tiny_classifier, tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    command = [sys.executable, str(script), str(tiny_classifier)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert not run.returncode, run.stderr
    (answers, imported), alone = map(json.loads, run.stdout.splitlines())
    assert not imported and [a for (a,) in answers] == alone


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pipe: pickle.loads(pickle.dumps(pipe))])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_pipeline_is_copied(tiny_classifier, copied, dtype):
    pipe = pipeline("sentiment-analysis", model=tiny_classifier, dtype=dtype, device="cpu")
    twin = copied(pipe)
    assert twin("Ada saw a film.") == pipe("Ada saw a film.")
    pipe.model.classifier.weight.data.zero_()  # the model itself answers now
    changed = copied(pipe)
    assert changed("Ada saw a film.") == pipe("Ada saw a film.") != twin("Ada saw a film.")


def test_a_pipeline_whose_folder_is_gone_says_so(tiny_classifier, tmp_path):
    folder = shutil.copytree(tiny_classifier, tmp_path / "model")
    kept = pickle.dumps(pipeline("sentiment-analysis", model=folder, device="cpu"))
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="could not open .* again"):
        pickle.loads(kept)


def test_a_task_with_the_name_of_a_pair_is_copied(tmp_path):
    rust = generating.unigram()
    model = generating.seq2seq("t5", rust.get_vocab_size() + 1)
    tok = generating.tokenizer("t5", rust.to_str())
    pipe = pipeline("translation_en_to_de", model=model, tokenizer=tok, max_new_tokens=3)
    twin = pickle.loads(pickle.dumps(pipe))
    assert twin.task.name == "translation_en_to_de" and twin("The film") == pipe("The film")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tok: pickle.loads(pickle.dumps(tok))])
def test_a_tokenizer_in_hand_is_used_as_it_is(tiny_classifier, copied):
    "With what its owner changed, and no more."
    tok = tour.AutoTokenizer.from_pretrained(tiny_classifier)
    tok.backend_tokenizer.normalizer = normalizers.Lowercase()
    tok.split_special_tokens = True
    given = copied(tok)
    text = "Ada SAW [SEP] it."
    pipe = pipeline("sentiment-analysis", model=str(tiny_classifier), tokenizer=given)
    (rows,) = pipe.tok.windows([text])
    assert rows[0].encoding.ids == ids(tok, text) == ids(given, text)
    assert pipe.tokenizer is given
    (rows,) = copied(pipe).tok.windows([text])
    assert rows[0].encoding.ids == ids(tok, text)


# What a class reads, and a folder that has something else: transformers opens an empty vocabulary.
FILES_OF_CLASSES = [
    ("RobertaTokenizer", "vocab.json", "reads vocab.json, merges.txt; get merges.txt too"),
    ("GPT2Tokenizer", "vocab.txt", "reads vocab.json, merges.txt; get vocab.json, merges.txt too"),
    ("BertTokenizer", "vocab.json", "BertTokenizer reads vocab.txt; get vocab.txt too"),
    ("BertweetTokenizer", "vocab.txt", "reads vocab.txt, bpe.codes; get bpe.codes too"),
    ("ProphetNetTokenizer", "vocab.txt", "reads prophetnet.tokenizer; get prophetnet.tokenizer"),
]


@pytest.mark.parametrize("kind, file, message", FILES_OF_CLASSES)
def test_a_folder_without_the_files_of_its_class_says_which(kind, file, message, tmp_path):
    (tmp_path / file).write_text('{"a": 0}' if file.endswith("json") else "[UNK]\na\n")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind}))
    with pytest.raises(InputError, match=f"holds {file}, and a .*{message}"):
        load_tokenizer(tmp_path)


def test_a_class_without_its_sentencepiece_files_says_which(tmp_path):
    pytest.importorskip("sentencepiece")
    of_sentencepiece(tmp_path, "barthez", "M2M100Tokenizer")
    with pytest.raises(InputError, match="reads vocab.json, .*; get vocab.json too"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("kind", ["NllbTokenizer", "SeamlessM4TTokenizer"])
def test_a_tokenizer_without_its_languages_is_refused(kind, tmp_path):
    pytest.importorskip("sentencepiece")
    of_sentencepiece(tmp_path, "barthez", kind)
    with pytest.raises(InputError, match=f"alone a {kind} has no token for .*eng.*tokenizer.json"):
        load_tokenizer(tmp_path)


def test_a_library_that_is_missing_is_to_be_installed(tmp_path):
    if importlib.util.find_spec("sacremoses"):
        pytest.skip("sacremoses is installed")
    (tmp_path / "vocab.json").write_text('{"a": 0, "<unk>": 1}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "XLMTokenizer"}')
    # An older transformers looks for protobuf first.
    old = Version(transformers.__version__) < Version("5.15")
    missing = "protobuf" if old else "sacremoses"
    with pytest.raises(InputError, match=f"{missing}.*; install it"):
        load_tokenizer(tmp_path)


def test_an_empty_unknown_token_is_refused_in_plain_words(tmp_path):
    rust = Rust(models.BPE({"a": 0, "b": 1}, []))
    tok = transformers.PreTrainedTokenizerFast(tokenizer_object=rust, unk_token="")
    tok.save_pretrained(tmp_path)
    for opened in (load_tokenizer, Tokenizer.open, lambda folder: Tokenizer.of(tok, {})):
        with pytest.raises(InputError, match="unk_token '' is not in its vocabulary; write"):
            opened(tmp_path)


WRITTEN_WRONG = [
    ("config.json", {"id2label": ["bad", "good"]}, "id2label=.* numbered from 0 on"),
    ("config.json", {"id2label": {"0": "bad", "5": "good"}}, "id2label=.* numbered from 0 on"),
    ("tokenizer_config.json", {"model_max_length": "512"}, "model_max_length='512', a string"),
]


@pytest.mark.parametrize("name, change, message", WRITTEN_WRONG)
def test_a_setting_that_is_written_wrong_is_named(name, change, message, tiny_classifier, tmp_path):
    folder = shutil.copytree(tiny_classifier, tmp_path / "model")
    settings = json.loads((folder / name).read_text()) | change
    (folder / name).write_text(json.dumps(settings))
    with pytest.raises(InputError, match=message):
        pipeline("sentiment-analysis", model=folder, device="cpu")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_clone_without_git_lfs_says_so(name, tiny_classifier, tmp_path):
    folder = shutil.copytree(tiny_classifier, tmp_path / "model")
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(InputError, match=f"{name} is only a pointer of Git LFS .*git lfs pull"):
        pipeline("sentiment-analysis", model=folder, device="cpu")
