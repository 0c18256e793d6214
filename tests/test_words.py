"Words and spans where spaces are not all that ends a word."

import unicodedata

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForTokenClassification,
    BertTokenizer,
    PreTrainedTokenizerFast,
    XLMRobertaTokenizer,
)

from nlp_tour.base.errors import InputError
from nlp_tour.beyond.targets import Read
from nlp_tour.pipeline import pipeline
from nlp_tour.tasks.token_classification import merge, tag
from nlp_tour.tasks.zero_shot import inference_ids, read_labels


def lookup(cls, tok, columns, choose):
    "A model that looks at one token at a time: `choose` gives the column of a token."
    config = BertConfig(
        vocab_size=len(tok),
        hidden_size=max(16, len(columns)),
        num_hidden_layers=0,
        num_attention_heads=1,
        id2label=dict(enumerate(columns)),
        label2id={name: i for i, name in enumerate(columns)},
    )
    model = cls(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        for token, i in tok.get_vocab().items():
            column = choose(token)
            if column is not None:
                model.bert.embeddings.word_embeddings.weight[i, columns.index(column)] = 9
    return model


@pytest.fixture(scope="module")
def places():
    "Names in a Unigram vocabulary, which marks the beginnings of words with an underscore."
    pieces = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "▁",
        "▁John",
        "▁Paris",
        "John",
        "Paris",
        "▁in",
        "(",
        ")",
        ",",
    ]
    tok = XLMRobertaTokenizer(
        vocab=[(piece, 0.0) for piece in pieces] + [("<mask>", 0.0)], model_max_length=64
    )
    labels = ["O", "B-PER", "B-LOC"]

    def choose(token):
        if "John" in token:
            return "B-PER"
        return "B-LOC" if "Paris" in token else "O"

    model = lookup(BertForTokenClassification, tok, labels, choose)
    with torch.no_grad():
        model.classifier.weight[:, :3] = torch.eye(3)
    return pipeline("ner", model=model, tokenizer=tok, aggregation_strategy="first", device="cpu")


@pytest.mark.parametrize("between", [" ", "\n", "\t", "\u00a0", " ( "])
def test_any_white_space_ends_a_word(places, between):
    text = f"John{between}Paris"
    found = [(e["entity_group"], text[e["start"] : e["end"]]) for e in places(text)]
    assert found == [("PER", "John"), ("LOC", "Paris")]


def test_brackets_are_no_part_of_a_word(places):
    assert [(e["entity_group"], e["start"], e["end"]) for e in places("(Paris)")] == [("LOC", 1, 6)]


@pytest.mark.parametrize("strategy", ["simple", "first", "average", "max"])
@pytest.mark.parametrize("name", ["Málaga", "NFD", "Ma\u00adlaga", "Ma\u200blaga"])
def test_accents_and_invisible_characters_lose_no_name(tmp_path, strategy, name):
    name = unicodedata.normalize("NFD", "Málaga") if name == "NFD" else name
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] john lives in malaga"
    (tmp_path / "vocab.txt").write_text("\n".join(words.split()))
    tok = BertTokenizer(str(tmp_path / "vocab.txt"), do_lower_case=True, model_max_length=64)
    labels = ["O", "B-LOC"]
    model = lookup(
        BertForTokenClassification, tok, labels, lambda t: "B-LOC" if t == "malaga" else "O"
    )
    with torch.no_grad():
        model.classifier.weight[:, :2] = torch.eye(2)
    ner = pipeline("ner", model=model, tokenizer=tok, aggregation_strategy=strategy, device="cpu")
    text = f"John lives in {name}"
    (found,) = ner(text)
    assert found["entity_group"] == "LOC" and text[found["start"] : found["end"]] == name


def test_a_label_with_a_hyphen_keeps_its_first_part():
    assert tag("self-harm") == (False, False, "self-harm")
    one = {"entity": "self-harm", "score": 1.0, "word": "knives", "start": 0, "end": 6}
    assert merge([one], " ".join)[0]["entity_group"] == "self-harm"


def test_tags_that_say_where_a_name_ends():
    tags = ["U-PER", "U-PER", "O", "B-LOC", "I-LOC", "L-LOC", "L-LOC"]
    words = ["John", "Mary", "in", "New", "York", "City", "Hall"]
    entities = [
        {"entity": t, "score": 1.0, "word": w, "start": i, "end": i + 1}
        for i, (t, w) in enumerate(zip(tags, words))
    ]
    found = [(e["entity_group"], e["word"]) for e in merge(entities, " ".join, "BILUES")]
    names = [("PER", "John"), ("PER", "Mary"), ("O", "in"), ("LOC", "New York City")]
    assert found == [*names, ("LOC", "Hall")]


def reader(tok, piece):
    "A reader whose answer is one token."
    model = lookup(BertForQuestionAnswering, tok, ["a", "b"], lambda t: "a" if t == piece else None)
    with torch.no_grad():
        model.qa_outputs.weight[:, 0] = 1
    return pipeline("question-answering", model=model, tokenizer=tok, device="cpu")


def test_an_answer_is_not_widened_where_no_spaces_are():
    pieces = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "▁",
        "東京",
        "は",
        "日本",
        "の",
        "首都",
        "です",
        "どこ",
    ]
    tok = XLMRobertaTokenizer(
        vocab=[(piece, -1.0) for piece in pieces] + [("<mask>", 0.0)], model_max_length=64
    )
    ask = reader(tok, "東京")
    assert ask(question="どこ", context="日本の首都は東京です")["answer"] == "東京"


def test_the_score_of_an_answer_does_not_depend_on_how_many_are_asked_for(places):
    ask = reader(places.tokenizer, "▁John")
    context = "John in Paris " * 12
    scores = [ask(question="in", context=context, top_k=k) for k in (1, 5, 20)]
    best = [scores[0]["score"], *(answers[0]["score"] for answers in scores[1:])]
    assert best == [best[0]] * 3


def test_a_row_of_squad_and_an_option_of_2021(places):
    ask = reader(places.tokenizer, "▁John")
    row = {"id": "1", "title": "t", "question": "in", "context": "in John", "answers": {}}
    assert ask(row)["answer"] == "John"
    assert ask(question="in", context="in John", max_question_len=64)["answer"] == "John"


@pytest.mark.parametrize("no", ["CONTR", "NON-ENTAIL", "non_entailment", "not entailment"])
def test_every_name_of_no(no):
    assert inference_ids([no, "ENTAILMENT"]) == {"contradiction": 0, "entailment": 1}


def test_labels_from_numpy_are_strings():
    import numpy as np

    assert {type(label) for label in read_labels(np.array(["film", "music"]))} == {str}


def test_whole_numbers_are_those_of_numpy_too_and_no_flags():
    import numpy as np

    classifier = pipeline("sentiment-analysis")
    assert classifier("good", top_k=np.int64(2)) == classifier("good", top_k=2)
    with pytest.raises(InputError, match="must be a whole number"):
        classifier("good", top_k=True)


@pytest.fixture
def wordless():
    "A tokenizer to which a whole text is one word, as it is to LLaMA's."
    pieces = ["<unk>", "<s>", "</s>", "▁", "▁The", "▁king", "▁is", "▁Rich", "ard", "▁who", "."]
    rust = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=0))
    rust.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    rust.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(
        tokenizer_object=rust, unk_token="<unk>", pad_token="</s>", model_max_length=64
    )


def test_an_answer_is_a_word_where_the_tokenizer_knows_none(wordless):
    ask = reader(wordless, "▁Rich")
    assert ask.tok.inputs.spaced
    context = "The king is Richard"
    assert ask(question="who", context=context)["answer"] == "Richard"
    assert ask(question="who", context=context, align_to_words=False)["answer"] == "Rich"


def test_names_and_words_where_the_tokenizer_knows_none(wordless):
    labels = ["O", "B-PER"]
    model = lookup(
        BertForTokenClassification, wordless, labels, lambda t: "B-PER" if t == "▁Rich" else "O"
    )
    with torch.no_grad():
        model.classifier.weight[:, :2] = torch.eye(2)
    settings = {"model": model, "tokenizer": wordless, "device": "cpu"}
    ner = pipeline("ner", aggregation_strategy="first", **settings)
    text = "The king is Richard"
    assert [text[e["start"] : e["end"]] for e in ner(text)] == ["Richard"]
    assert [word["word"] for word in Read(ner, text).words] == text.split()


@pytest.mark.parametrize("task", ["question-answering", "token-classification"])
def test_no_answer_and_no_name_begins_with_a_space(task):
    "Some byte-level tokenizers count the space before a word as a part of it."
    import test_tasks_encoders as encoders
    from tokenizers import processors

    found = []
    for trim in (True, False):
        rust = encoders.tiny.byte_level()
        rust.post_processor = processors.RobertaProcessing(
            ("</s>", 2), ("<s>", 0), trim_offsets=trim, add_prefix_space=False
        )
        labels = None if task == "question-answering" else encoders.TAGS[:3]
        model, tok = encoders.made(task, "roberta", "byte_level", labels, rust=rust)
        pipe = pipeline(task, model=model, tokenizer=tok, device="cpu")
        text = "Ada saw a film in London."
        if task == "question-answering":
            answers = pipe("who was it?", text, top_k=5)
            assert all(a["answer"] == text[a["start"] : a["end"]] for a in answers)
        else:
            answers = pipe(text, aggregation_strategy="first", ignore_labels=[])
        pieces = [text[a["start"] : a["end"]] for a in answers]
        assert pieces and pieces == [piece.strip() for piece in pieces]
        found.append(pieces)
    assert found[0] == found[1]


def test_no_labels_named_to_ignore_are_the_usual_ones(places):
    text = "John in Paris"
    assert places(text, ignore_labels=None) == places(text)
    assert len(places(text, ignore_labels=[])) >= len(places(text))
