"WordPiece by hand against the Rust library, on texts that nobody would write."

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Rust

from nlp_tour.all import load_tokenizer
from nlp_tour.beyond.wordpiece import WordPiece, normalize, split_words
from nlp_tour.hub.standins import embedded
from nlp_tour.tokenizer import show_tokens

folder = embedded("encoder")
rust, ours = Rust.from_file(str(folder / "tokenizer.json")), WordPiece(folder / "vocab.txt")


def theirs(text):
    return [w for w, _ in rust.pre_tokenizer.pre_tokenize_str(rust.normalizer.normalize_str(text))]


# Characters whose kind this Python's Unicode and the Rust library's older one tell differently.
RARE = {
    c
    for i in range(0x80, 0x110000)
    if unicodedata.category(c := chr(i))[0] in "MPCS"
    and unicodedata.category(c) not in ("Cn", "Co", "Cs")
    and theirs(f"a{c}b") != split_words(normalize(f"a{c}b"))
}
common = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters=RARE)
any_text = (
    st.text(common, max_size=80)
    | st.text(
        st.sampled_from("aàÀßΣςİı̈ #'-.$[]CLSEPMASK中文🤗\u200b\u00ad\t\n\x00\ufffd"), max_size=40
    )
    | st.from_regex(r"(\[CLS\]|\[MASK\]|\w|\s){1,20}", fullmatch=True).filter(
        lambda t: not RARE & set(t)
    )
)


@settings(max_examples=1500, deadline=None)
@given(any_text)
def test_wordpiece_by_hand_is_the_rust_one(text):
    assert ours(text) == rust.encode(text).ids


def test_few_characters_are_judged_otherwise_and_none_of_them_is_common():
    assert len(RARE) < 1000 and all(ord(c) > 0x2FF for c in RARE)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(common, min_size=1, max_size=30), min_size=1, max_size=3))
def test_tokens_are_shown_whatever_the_text(tok, texts):
    shown = show_tokens(tok, texts)
    assert shown.count("<div") == len(texts) and shown.count("<span") == sum(
        map(len, tok(texts, padding=True)["input_ids"])
    )
    assert "<script" not in shown.lower()


@pytest.fixture(scope="module")
def tok():
    return load_tokenizer("bert-base-uncased")
