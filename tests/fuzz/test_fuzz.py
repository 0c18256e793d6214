"""Whatever comes in, out comes an answer or one clear sentence: never a traceback from deep inside,
a hang, or more than 2 GB.

More than 10,000 cases, the same ones in every run. `FUZZ=10 pytest tests/fuzz` tries ten times as
many others."""

import dis
import functools
import io
import json
import os
import resource
import shutil
import signal
from collections import deque
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from datasets import Dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nlp_tour
from nlp_tour.app.console import settings as read_settings
from nlp_tour.app.console import source_of
from nlp_tour.base.errors import InputError
from nlp_tour.data.datasets import load_data
from nlp_tour.data.readers import FORMATS, read_batches, regroup_batches
from nlp_tour.inference.files import map_file
from nlp_tour.inference.parts import ranks
from nlp_tour.pipeline import pipeline
from nlp_tour.tasks.conversational import Conversation
from nlp_tour.tasks.registry import TASKS

pytestmark = pytest.mark.usefixtures("one_thread", "two_gigabytes")
HERE = Path(nlp_tour.__file__).parent
TIMES = int(os.environ.get("FUZZ", 1))
CASES = {
    "texts": 3500,
    "options": 500,
    "bytes": 2000,
    "files": 2500,
    "tables": 500,
    "tasks": 3000,
    "making": 300,
    "training": 500,
    "config": 600,
    "tokenizer": 800,
    "weights": 800,
    "manifest": 200,
    "arguments": 600,
}


def cases(name):
    return settings(
        max_examples=CASES[name] * TIMES,
        deadline=None,
        database=None,
        derandomize="FUZZ" not in os.environ,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


class Hang(BaseException):
    "Ten seconds are over."


def _hang(number, frame):
    raise Hang


def is_ours(error):
    """Whether one of our own `raise` statements made this error, and not Python over a value of the
    wrong type."""
    at = error.__traceback__
    while at.tb_next:
        at = at.tb_next
    code = at.tb_frame.f_code
    is_raised = code.co_code[at.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return is_raised and HERE in Path(code.co_filename).parents


def is_clear(message):
    "Whether a message is one sentence: one line, neither too short nor too long."
    return 10 < len(message) < 1000 and "\n" not in message


def clear(call):
    "The value of a call that may end in one sentence of ours, and in nothing else."
    before = signal.signal(signal.SIGALRM, _hang)
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        return call()
    except InputError as e:
        assert 10 < len(str(e)) < 1000, str(e)
        assert "\n" not in str(e).strip(), str(e)
    except TypeError as e:
        assert is_ours(e), repr(e)
        assert is_clear(str(e)), repr(e)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def two_gigabytes():
    """No case may take more than 2 GB: the most that the process ever held shows it, and what asks
    for far more gets MemoryError, which is no clear error."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**34, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 2**21, (
        "more than 2 GB (ru_maxrss counts in kB)"
    )


def test_there_are_ten_thousand():
    assert sum(CASES.values()) >= 10_000


# What a caller may hand over

strings = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "\x00",
        "\ud800",
        "\u202e",
        "👩‍👩‍👧‍👦",
        "a\u0301" * 40,
        "\ufeff",
        "İ",
        "ﷺ",
        "x" * 3000,
        "🤗 " * 200,
        "\n\n",
        "[MASK]",
        "[SEP][CLS]",
    ]
)
things = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=8) | strings
anything = st.recursive(
    things,
    lambda t: (
        st.lists(t, max_size=4)
        | st.tuples(t, t)
        | st.dictionaries(
            st.sampled_from(["text", "text_pair", "question", "context", "x"]) | strings,
            t,
            max_size=3,
        )
    ),
    max_leaves=6,
)
arrays = (
    st.lists(strings, max_size=3).map(lambda x: np.array(x, dtype=object))
    | st.lists(strings, max_size=3).map(lambda x: iter(x))
    | st.just(np.zeros((2, 2)))
    | st.just(np.float32(1))
    | st.just(range(3))
)


@pytest.fixture(scope="module")
def pipe(tiny_classifier):
    return pipeline("text-classification", model=tiny_classifier)


@cases("texts")
@given(x=anything | arrays)
def test_every_door_for_texts(pipe, x):
    found = clear(lambda: (lambda r: list(r) if hasattr(r, "__next__") else r)(pipe(x)))
    if found is not None:
        json.dumps(found)
    if isinstance(x, str) and x.strip():
        assert found and found[0]["label"] in ("NEGATIVE", "POSITIVE")
    if isinstance(x, list) and all(isinstance(t, str) and t.strip() for t in x):
        assert len(found) == len(x)


@cases("options")
@given(
    name=st.sampled_from(
        ["top_k", "return_all_scores", "function_to_apply", "long", "batch_size", "topk"]
    )
    | st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=1, max_size=9),
    value=things,
)
def test_every_option(pipe, name, value):
    clear(lambda: pipe("A quiet film.", **{name: value}))


@cases("arguments")
@given(
    words=st.lists(strings, min_size=1, max_size=3),
    pairs=st.lists(strings, max_size=2),
    rank=strings,
    world=strings,
)
def test_arguments_and_environment_of_the_command_line(words, pairs, rank, world):
    clear(lambda: source_of(words))
    clear(lambda: read_settings(pairs))

    def surely(s):
        return s.replace("\x00", "").encode("utf-8", "ignore").decode()

    os.environ |= {"RANK": surely(rank), "WORLD_SIZE": surely(world)}
    try:
        clear(ranks)
    finally:
        del os.environ["RANK"], os.environ["WORLD_SIZE"]


# What a caller may hand over to any task

TEXT = "Ada wrote a quiet letter in London [MASK]."
GONE = [
    None,
    float("nan"),
    pd.NA,
    pd.NaT,
    np.float32("nan"),
    np.datetime64("NaT"),
    Decimal("NaN"),
    pa.scalar(None),
]
ODD = [
    *GONE,
    5,
    True,
    1.5,
    b"film",
    "",
    " ",
    np.str_(TEXT),
    np.int64(5),
    np.bool_(True),
    pa.scalar(TEXT),
    Path("film"),
    pd.Timestamp(0),
    print,
    str,
    {},
    [],
    np.array(TEXT),
    np.array(5),
    np.zeros((2, 2)),
    {"film"},
    range(3),
    pd.DataFrame({"text": [TEXT]}),
]
odd = st.sampled_from(ODD) | things


def plain(t):
    return type(t) is str and t.isprintable()  # what Arrow can hold


several = st.lists(st.just(TEXT) | st.just(TEXT) | odd, max_size=4)
HOLDERS = [
    list,
    tuple,
    iter,
    deque,
    lambda x: np.array([*x, None], dtype=object)[:-1],
    lambda x: np.array([str(t) for t in x]),
    lambda x: pd.Series(x, dtype=object),
    lambda x: pd.Index(x, dtype=object),
    lambda x: pd.Series([t if plain(t) else pd.NA for t in x], dtype="string"),
    lambda x: pd.Series(pd.Categorical([t if plain(t) else None for t in x])),
    lambda x: pd.Series([1, None] * len(x), dtype="Int64"),
    lambda x: pa.array([t if plain(t) else None for t in x], pa.string()),
    lambda x: pa.chunked_array([[TEXT] * len(x)]),
    lambda x: dict(enumerate(x)).values(),
    lambda x: np.array([[TEXT, TEXT]]),
    lambda x: [np.array([TEXT])] * len(x),
    lambda x: Dataset.from_dict({"text": [TEXT] * len(x)})["text"],
    lambda x: memoryview(b"film"),
    lambda x: {id(t): t for t in x},
]


def made(hold, x):
    "What a library makes of these; what it refuses to hold stays plain Python."
    try:
        return hold(x)
    except (TypeError, ValueError, OverflowError, pa.ArrowException):
        return x


held = st.builds(made, st.sampled_from(HOLDERS), several)
TABLES = [
    lambda x: pd.DataFrame(x),
    lambda x: pd.DataFrame(x, dtype=object),
    lambda x: pd.DataFrame(
        {k: pd.array([t if plain(t) else pd.NA for t in v], dtype="string") for k, v in x.items()}
    ),
    lambda x: pa.table({k: [t if plain(t) else None for t in v] for k, v in x.items()}),
    lambda x: Dataset.from_dict({k: [t if plain(t) else None for t in v] for k, v in x.items()}),
    dict,
    lambda x: [dict(zip(x, row)) for row in zip(*x.values())],
]
KEYS = {
    "question-answering": ("question", "context"),
    "table-question-answering": ("table", "query"),
}
WRITES = (
    "text-generation",
    "conversational",
    "text2text-generation",
    "summarization",
    "translation",
)
GENERATE = (
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
    "stop_strings",
    "repetition_penalty",
    "bad_words_ids",
)


@st.composite
def table(draw, names):
    "A table of some rows, as pandas, pyarrow, `datasets` or plain Python has it."
    n = draw(st.integers(0, 3))
    cell = st.just(TEXT) | st.just(TEXT) | odd
    return made(
        draw(st.sampled_from(TABLES)),
        {name: draw(st.lists(cell, min_size=n, max_size=n)) for name in names},
    )


def value(name):
    "A value for a key or an argument: often a fitting one."
    return (
        table(("year", "film")) | table(("year",)) | odd
        if name == "table"
        else st.just(TEXT) | odd | held
    )


@st.composite
def asked(draw, task):
    "Arguments of a call."
    keys = KEYS.get(task, ("text", "text_pair"))
    pair = {k: draw(value(k)) for k in (keys if draw(st.integers(0, 5)) else keys[:1])}
    how = draw(
        st.sampled_from(["one", "held", "odd", "pair", "pairs", "named", "two", "table", "talk"])
    )
    if how == "one":
        return (TEXT,), {}
    if how == "held":
        return (draw(held),), {}
    if how == "odd":
        return (draw(odd),), {}
    if how == "pair":
        return (pair,), {}
    if how == "pairs":
        return ([pair, pair],), {}
    if how == "named":
        return (), pair
    if how == "two":
        return tuple(pair.values()), {}
    if how == "talk" and task == "conversational":
        return (
            Conversation(draw(odd), past_user_inputs=[draw(odd)], generated_responses=[draw(odd)]),
        ), {}
    return (draw(table(keys)),), (
        {"column": draw(st.sampled_from(keys) | odd)}
        if task not in KEYS or draw(st.booleans())
        else {}
    )


@pytest.fixture(scope="module")
def pipes(pipe, tmp_path_factory):
    "A tiny pipeline for every task."
    import tiny
    import tiny_encoders as encoders
    import transformers as t

    special = ("<s>", "<pad>", "</s>", "<unk>")
    rust = encoders.wordpiece()
    plain = tiny.tokenizer("plain", tiny.unigram(special=special).to_str())
    tok = encoders.wrap(rust, types=True)
    marks = {"eos_token": "</s>", "pad_token": "<pad>"}
    end = t.PreTrainedTokenizerFast(tokenizer_object=tiny.bpe(), **marks)

    def names(*labels):
        return {
            "id2label": dict(enumerate(labels)),
            "label2id": {label: i for i, label in enumerate(labels)},
        }

    def bert(cls, **more):
        return (encoders.fill(cls(encoders.config("bert", len(tok), **more))), tok)

    gpt2 = (
        tiny.fill(
            t.GPT2LMHeadModel(
                t.GPT2Config(
                    vocab_size=len(end),
                    n_positions=64,
                    n_embd=32,
                    n_layer=1,
                    n_head=2,
                    bos_token_id=end.eos_token_id,
                    eos_token_id=end.eos_token_id,
                )
            )
        ),
        end,
    )
    t5 = tiny.seq2seq("t5", len(plain)), plain
    vocabulary = tmp_path_factory.mktemp("tapas") / "vocab.txt"
    vocabulary.write_text("\n".join(["[EMPTY]", *sorted(rust.get_vocab())]), encoding="utf-8")
    wide = t.TapasTokenizer(str(vocabulary), model_max_length=64)
    tapas = (
        tiny.fill(
            t.TapasForQuestionAnswering(
                t.TapasConfig(
                    vocab_size=len(wide),
                    hidden_size=16,
                    num_hidden_layers=1,
                    num_attention_heads=2,
                    intermediate_size=16,
                    max_position_embeddings=64,
                )
            )
        ),
        wide,
    )
    made = {
        "token-classification": bert(t.BertForTokenClassification, **names("O", "B-PER", "I-PER")),
        "question-answering": bert(t.BertForQuestionAnswering),
        "fill-mask": bert(t.BertForMaskedLM),
        "zero-shot-classification": bert(
            t.BertForSequenceClassification, **names("contradiction", "neutral", "entailment")
        ),
        "feature-extraction": bert(t.BertModel),
        "table-question-answering": tapas,
        **dict.fromkeys(WRITES[:2], gpt2),
        **dict.fromkeys(WRITES[2:], t5),
    }
    return {"text-classification": pipe} | {
        task: pipeline(
            task,
            model=m,
            tokenizer=k,
            progress=False,
            allow_untrained=True,
            **{"max_new_tokens": 2, "num_beams": 1} if task in WRITES else {},
        )
        for task, (m, k) in made.items()
    }


@cases("tasks")
@given(data=st.data(), task=st.sampled_from(sorted(TASKS)))
@pytest.mark.filterwarnings("ignore")
def test_every_door_of_every_task(pipes, data, task):
    pipe = pipes[task]
    args, options = data.draw(asked(task))
    fits = len(args) == 1 and args[0] is TEXT and task not in KEYS
    if task == "zero-shot-classification" and (fits or data.draw(st.integers(0, 9))):
        options |= {"candidate_labels": ["film", "music"]}
    for name in data.draw(
        st.lists(
            st.sampled_from(
                sorted({*pipe.task.Options.names(), "progress", *GENERATE * (task in WRITES)})
            ),
            max_size=2,
            unique=True,
        )
    ):
        options[name], fits = data.draw(odd | held), False
    found = clear(
        lambda: (lambda r: list(r) if hasattr(r, "__next__") else r)(pipe(*args, **options))
    )
    if (
        isinstance(found, (list, dict))
        and task != "conversational"
        and options.get("pooling", "none") == "none"
    ):
        json.dumps(found)
    if fits:
        assert found is not None


@cases("making")
@given(
    task=st.sampled_from(sorted(TASKS)) | odd,
    name=st.sampled_from(
        [
            "batch_tokens",
            "model_kwargs",
            "progress",
            "device",
            "dtype",
            "backend",
            "config",
            "tokenizer",
            "revision",
            "framework",
            "top_k",
            "candidate_labels",
        ]
    ),
    value=odd | held,
    called=st.booleans(),
)
@pytest.mark.filterwarnings("ignore")
def test_every_argument_of_pipeline(tiny_classifier, task, name, value, called):
    def make():
        pipe = pipeline(
            task
            if name not in ("batch_tokens", "model_kwargs", "progress", "dtype")
            else "text-classification",
            model=str(tiny_classifier),
            allow_untrained=True,
            **{name: value},
        )
        if pipe.task.name == "text-classification":
            pipe([TEXT, TEXT])

    clear(make)


@cases("training")
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_any_table_as_training_data(data):
    names = data.draw(
        st.sampled_from(
            [
                ("text", "label"),
                ("text", "text_pair", "label"),
                ("question", "context", "answers"),
                ("tokens", "tags"),
                ("a", "b"),
            ]
        )
    )
    n = data.draw(st.integers(0, 4))
    good = {
        "label": [0, 1, "a", "b", True],
        "answers": ["Ada", {"text": ["Ada"], "answer_start": [0]}],
        "tokens": [["Ada", "saw"], np.array(["Ada"])],
        "tags": [["O", "B"], [0, 1], np.array(["O"])],
    }
    rows = {
        k: data.draw(
            st.lists(
                st.sampled_from(good.get(k, [TEXT, "A loud film."])) | odd
                if data.draw(st.booleans())
                else st.sampled_from(good.get(k, [TEXT, "A loud film."])),
                min_size=n,
                max_size=n,
            )
        )
        for k in names
    }
    source = made(
        data.draw(
            st.sampled_from(
                [
                    pd.DataFrame,
                    lambda x: pd.DataFrame(x).convert_dtypes(),
                    lambda x: {"train": pd.DataFrame(x), "test": pd.DataFrame(x)},
                    pa.table,
                    Dataset.from_dict,
                    lambda x: pd.DataFrame(x, dtype="string"),
                ]
            )
        ),
        rows,
    )
    options = {
        k: data.draw(st.sampled_from(names) | odd | held)
        for k in data.draw(
            st.lists(st.sampled_from(["text", "label", "group", "test_share"]), max_size=1)
        )
    }
    if not data.draw(st.integers(0, 9)):
        source = data.draw(odd)
    clear(lambda: load_data(source, **options))


# What a file may hold

ROWS = [
    {"id": i, "text": t, "score": i / 7}
    for i, t in enumerate(["A quiet film.", 'Naïve, "loud",\nlate', "", "東京 🤗", "x" * 500] * 6)
]


@functools.cache
def whole(kind):
    "A sound file of a format."
    import pandas as pd

    table, f = pd.DataFrame(ROWS), io.BytesIO()
    if kind == ".parquet":
        table.to_parquet(f)
    elif kind in (".jsonl", ".ndjson"):
        table.to_json(f, orient="records", lines=True)
    elif kind == ".txt":
        f.write("\n".join(table["text"]).encode())
    else:
        table.to_csv(f, index=False, sep="\t" if kind == ".tsv" else ",")
    return f.getvalue()


@st.composite
def damaged(draw, content):
    "Bytes with some places changed, cut out, doubled, or the end gone."
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        at, how = (
            draw(st.integers(0, len(content) - 1)),
            draw(st.sampled_from(["set", "cut", "insert", "end", "double"])),
        )
        if how == "set":
            content[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del content[at : at + draw(st.integers(1, 40))]
        elif how == "insert":
            content[at:at] = draw(
                st.binary(min_size=1, max_size=12)
                | st.sampled_from(
                    [
                        b"\x00" * 8,
                        b"\xff\xfe",
                        b'"',
                        b"\r\n",
                        b"{" * 50,
                        b"[" * 2000,
                        b"1e999",
                        b"-" + b"9" * 400,
                    ]
                )
            )
        elif how == "end":
            del content[at:]
        else:
            content[at:at] = content[max(0, at - 64) : at]
    return bytes(content)


def read(kind, content, path):
    "All rows of a file with that content, cut into parts."
    path.write_bytes(content)
    return [row for table in regroup_batches(read_batches(path)[1], 7) for row in table.to_pylist()]


@cases("bytes")
@given(
    kind=st.sampled_from(sorted(FORMATS)),
    content=st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"text",
                b",",
                b"\n",
                b'"',
                b"\x00",
                b"\xff",
                b'{"text": ',
                b"}",
                b"null",
                b"PAR1",
                b"\t",
                b"\r",
            ]
        ),
        max_size=30,
    ).map(b"".join),
)
def test_any_bytes_as_any_format(tmp_path_factory, kind, content):
    clear(lambda: read(kind, content, tmp_path_factory.getbasetemp() / f"bytes{kind}"))


@cases("files")
@given(
    data=st.data(),
    kind=st.sampled_from(sorted(FORMATS) + [".parquet"]),
    packed=st.sampled_from(["", "", ".gz", ".bz2", ".zst"]),
)
def test_damaged_files(tmp_path_factory, data, kind, packed):
    content = whole(kind)
    if packed and kind != ".parquet":
        content = pack(packed, content)
    else:
        packed = ""
    clear(
        lambda: read(
            kind,
            data.draw(damaged(content)),
            tmp_path_factory.getbasetemp() / f"damaged{kind}{packed}",
        )
    )


@functools.cache
def pack(how, content):
    import bz2
    import gzip

    import pyarrow as pa

    if how == ".gz":
        return gzip.compress(content)
    if how == ".bz2":
        return bz2.compress(content)
    return pa.Codec("zstd").compress(content, asbytes=True)


@cases("tables")
@given(data=st.data(), kind=st.sampled_from([".csv", ".jsonl", ".parquet"]))
def test_damaged_training_data(tmp_path_factory, data, kind):
    path = tmp_path_factory.getbasetemp() / f"training{kind}"
    path.write_bytes(data.draw(damaged(whole(kind))))
    clear(lambda: load_data(path, text="text", label="id"))


# What a model's folder may hold

junk = st.sampled_from(
    [
        None,
        -1,
        0,
        1,
        2**31,
        10**30,
        1.5,
        1e308,
        float("nan"),
        "",
        "x",
        "bert",
        "../../x",
        [],
        {},
        [[]],
        {"a": 1},
        True,
        False,
        "☃" * 99,
    ]
) | st.integers(-5, 300)


def keys_of(node):
    "What can be looked up in a piece of JSON."
    if isinstance(node, list):
        return list(range(len(node)))
    return list(node) if isinstance(node, dict) else []


@st.composite
def bent(draw, tree):
    "JSON with some values changed, gone, or new; or with damaged bytes."
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged(json.dumps(tree).encode()))
    tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, 3))):
        at, key = tree, None
        while True:
            keys = keys_of(at)
            if not keys:
                break
            parent, key = at, draw(st.sampled_from(keys[:40]))
            at = parent[key]
            if not isinstance(at, (dict, list)) or draw(st.booleans()):
                break
        if key is None:
            continue
        how = draw(st.sampled_from(["set", "set", "del", "new"]))
        if how == "del":
            del parent[key]
        elif how == "new" and isinstance(parent, dict):
            parent[
                draw(
                    st.sampled_from(
                        [
                            "is_decoder",
                            "torch_dtype",
                            "dtype",
                            "auto_map",
                            "quantization_config",
                            "tie_word_embeddings",
                            "num_labels",
                            "x",
                        ]
                    )
                )
            ] = json.loads(json.dumps(draw(junk)))
        else:
            parent[key] = json.loads(json.dumps(draw(junk)))
    return json.dumps(tree).encode()


@pytest.fixture()
def copy(tiny_classifier, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "copied"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tiny_classifier, folder)
    return folder


def answers(folder):
    return pipeline("text-classification", model=str(folder))(
        ["A quiet film.", "Loud and long " * 60]
    )


@cases("config")
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_bent_configurations(copy, tiny_classifier, data):
    name = data.draw(st.sampled_from(["config.json", "config.json", "tokenizer_config.json"]))
    (copy / name).write_bytes(data.draw(bent(json.loads((tiny_classifier / name).read_text()))))
    clear(lambda: answers(copy))
    shutil.copyfile(tiny_classifier / name, copy / name)


@cases("tokenizer")
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_bent_tokenizers(copy, tiny_classifier, data):
    (copy / "tokenizer.json").write_bytes(
        data.draw(bent(json.loads((tiny_classifier / "tokenizer.json").read_text())))
    )
    clear(lambda: answers(copy))


@cases("weights")
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_bent_weights(copy, tiny_classifier, data):
    raw = (tiny_classifier / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    how = data.draw(st.sampled_from(["header", "header", "length", "bytes", "end"]))
    if how == "header":
        header = data.draw(bent(json.loads(raw[8 : 8 + size])))
        raw = len(header).to_bytes(8, "little") + header + raw[8 + size :]
    elif how == "length":
        raw = data.draw(st.integers(0, 2**64 - 1)).to_bytes(8, "little") + raw[8:]
    elif how == "bytes":
        raw = data.draw(damaged(raw))
    else:
        raw = raw[: data.draw(st.integers(0, len(raw)))]
    (copy / "model.safetensors").write_bytes(raw)
    clear(lambda: answers(copy))


@pytest.fixture(scope="module")
def scored(pipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scored")
    (folder / "in.jsonl").write_bytes(b'{"text": "A quiet film."}\n')
    map_file(pipe, folder / "in.jsonl", folder / "out", progress=False)
    return folder


@cases("manifest")
@given(data=st.data())
def test_bent_manifests(pipe, scored, data):
    path = scored / "out" / "_manifest.json"
    before = path.read_bytes()
    path.write_bytes(data.draw(bent(json.loads(before))))
    clear(lambda: map_file(pipe, scored / "in.jsonl", scored / "out", progress=False))
    path.write_bytes(before)


# Things too large to be drawn at random


@pytest.mark.parametrize("kind", [".txt", ".csv", ".jsonl"])
def test_a_line_of_a_million_characters(tmp_path, pipe, kind):
    content = {
        ".txt": b"film " * 200_000 + b"\n",
        ".csv": b"text\n" + b"film " * 200_000 + b"\n",
        ".jsonl": json.dumps({"text": "film " * 200_000}).encode() + b"\n",
    }
    (row,) = read(kind, content[kind], tmp_path / f"long{kind}")
    assert len(row["text"]) == 1_000_000
    assert clear(lambda: pipe(row["text"])) is not None


@pytest.mark.parametrize("kind", [".txt", ".csv", ".jsonl"])
def test_an_endless_line_is_refused(tmp_path, kind):
    path = tmp_path / f"endless{kind}"
    path.write_bytes((b'{"text": "' if kind == ".jsonl" else b"text\n") + b"a" * (2**25 + 2**21))
    with pytest.raises(InputError, match="line .: longer than|straddling"):
        read_all(path)


def test_an_endless_quote_is_refused(tmp_path):
    path = tmp_path / "quote.csv"
    with open(path, "wb") as f:
        f.write(b'text\n"')
        for _ in range(64):
            f.write(b"a film\n" * 150_000)
    with pytest.raises(InputError):
        read_all(path)


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".zst"])
def test_a_packed_bomb_is_refused(tmp_path, packed, monkeypatch):
    import nlp_tour.data.streams as streams

    monkeypatch.setattr(streams, "UNPACKED", 2**22)  # the rule with a smaller number, to save time
    path = tmp_path / f"bomb.txt{packed}"
    path.write_bytes(pack(packed, b"a film\n" * (2**24 // 7)))
    assert path.stat().st_size < 2**20
    with pytest.raises(InputError, match="unpacks to more than"):
        read_all(path)
    path = tmp_path / f"bomb.csv{packed}"
    path.write_bytes(pack(packed, b"text,label\n" + b"a film,1\n" * (2**24 // 9)))
    with pytest.raises(InputError, match="unpacks to more than"):
        load_data(path)


def test_parquet_bombs_are_refused_or_read_in_pieces(tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    import nlp_tour.data.formats as formats

    pq.write_table(
        pa.table(
            {"text": pa.DictionaryArray.from_arrays(np.zeros(4096, dtype=np.int32), ["x" * 2**20])}
        ),
        tmp_path / "dictionary.parquet",
    )  # 4 GB of text in a file of a few kB
    parts = regroup_batches(read_batches(tmp_path / "dictionary.parquet")[1], 4096)
    assert sum(len(next(parts)) for _ in range(3)) == 3 * 64
    with pytest.raises(InputError, match="unpacks to more than"):
        load_data(tmp_path / "dictionary.parquet", text="text")
    monkeypatch.setattr(formats, "UNPACKED", 2**20)
    pq.write_table(
        pa.table({"n": pa.array(np.zeros(10**6))}),
        tmp_path / "zeros.parquet",
        compression="zstd",
        use_dictionary=False,
    )
    with pytest.raises(InputError, match="unpacks to"):
        read_batches(tmp_path / "zeros.parquet")


def test_an_encoding_that_is_another_is_told_with_its_line(tmp_path):
    for kind, head in {".txt": "", ".csv": "text\n"}.items():
        (tmp_path / f"latin{kind}").write_bytes(
            (head + "fine\n" * 300_000 + "naïve\nfine\n").encode("latin-1")
        )
        with pytest.raises(
            InputError, match=f"line {300_001 + bool(head)}: byte 0xef is not utf-8"
        ):
            read_all(tmp_path / f"latin{kind}")


def read_all(path):
    return sum(len(t) for t in regroup_batches(read_batches(path)[1], 4096))
