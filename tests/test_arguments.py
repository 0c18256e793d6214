"What a pipeline is given: every form of 2021 and of stock works, or gets a sentence that leads on."

import shutil

import pytest
import torch
import transformers
from transformers.pipelines.pt_utils import KeyDataset

from nlp_tour.all import load, load_tokenizer
from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.pipeline import pipeline

TEXT, LONG = "Ada saw a film.", "The quiet river was loud. " * 60


@pytest.fixture(scope="module")
def pipe(tiny_classifier):
    return pipeline("sentiment-analysis", model=tiny_classifier, device="cpu", progress=False)


@pytest.fixture
def fresh():
    "Every message is new."
    errors._warned.clear()


class Rows(torch.utils.data.Dataset):
    "A Dataset of torch, which knows its length and raises nothing behind its end."

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return ["good", "The film.", TEXT][i % 3]


def test_a_dataset_of_torch_is_read_to_its_end(pipe):
    texts = [Rows()[i] for i in range(3)]
    assert list(pipe(Rows())) == pipe(texts)
    assert list(pipe(KeyDataset([{"text": t} for t in texts], "text"))) == pipe(texts)


def test_the_input_may_come_by_name(pipe, tiny_classifier):
    assert pipe(inputs=TEXT) == pipe(TEXT)
    with pytest.raises(TypeError, match="'inputs'"):
        pipe(TEXT, inputs=TEXT)
    model, tok = load(tiny_classifier)
    model.config.id2label = {0: "entailment", 1: "contradiction"}
    shot = pipeline("zero-shot-classification", model=model, tokenizer=tok, device="cpu")
    assert shot(sequences=TEXT, candidate_labels=["a", "b"]) == shot(TEXT, ["a", "b"])


@pytest.fixture(scope="module")
def reader():
    import test_tasks_encoders as encoders

    model, tok = encoders.made("question-answering", "bert", "wordpiece")
    return pipeline("question-answering", model=model, tokenizer=tok, device="cpu")


@pytest.mark.parametrize("name", ["data", "X", "inputs", "args"])
def test_a_question_may_come_by_the_names_of_2021(name, reader):
    pair = {"question": "who was it?", "context": TEXT}
    right = reader(**pair)
    assert reader(pair) == reader(**{name: pair}) == right
    assert reader(**{name: [pair, pair]}) == [right, right]
    for args, more in [((pair,), {}), ((), pair), ((), {"data": pair, "X": pair})]:
        with pytest.raises(TypeError, match="takes question= and context="):
            reader(*args, **{name: pair} | more)


def test_a_table_and_its_question_come_once():
    from nlp_tour.tasks.table import TableQuestionAnswering

    table = {"year": ["1979"]}
    arguments = TableQuestionAnswering.arguments
    for args, more in [((table, "When?"), {"query": "Who?"}), ((table,), {"table": table})]:
        with pytest.raises(TypeError, match="takes a table and a query"):
            arguments(TableQuestionAnswering, args, more)
    given, _ = arguments(TableQuestionAnswering, (table,), {"query": "When?"})
    assert given == {"table": table, "query": "When?"}


CHAT = [{"role": "user", "content": "And today?"}]


@pytest.mark.parametrize("chat", [CHAT, [CHAT, CHAT], CHAT[0], tuple(CHAT)])
def test_turns_of_a_chat_get_a_sentence_that_leads_on(chat):
    import tiny_families

    tok = tiny_families.tiny_tokenizer(model_max_length=48)
    model = tiny_families.tiny_model("gpt2", "GPT2LMHeadModel")
    for task, why in [("text-generation", "apply_chat_template"), ("conversational", "Convers")]:
        with pytest.raises(InputError, match=why):
            pipeline(task, model=model, tokenizer=tok, device="cpu")(chat)


def test_a_pair_in_the_form_of_2021(pipe):
    pair = {"text": "good", "text_pair": "bad"}
    assert pipe([[["good", "bad"]]]) == pipe([pair])
    for wrong in ([["good", "bad"]], [[["good", "bad", "fair"]]]):
        with pytest.raises(InputError, match="text 0 is list .*'text_pair'"):
            pipe(wrong)
    with pytest.raises(InputError, match="which has an order"):
        pipe({"good", "bad"})


def test_texts_are_cut_where_the_caller_says(pipe, tiny_classifier):
    tok = load_tokenizer(tiny_classifier)
    cut = tok(LONG, truncation=True, max_length=20, add_special_tokens=True)["input_ids"]
    options = pipe.read_options({"truncation": True, "max_length": 20})
    (row,) = pipe.task.encode([LONG], options)
    assert row.ids == cut
    windows = pipe.task.encode([LONG], pipe.read_options({"max_length": 20}))
    assert len(windows) > 1 and max(map(len, windows)) == 20
    with pytest.raises(InputError, match="max_length=0"):
        pipe(TEXT, max_length=0)


def test_functions_in_capitals(pipe):
    from transformers.pipelines.text_classification import ClassificationFunction

    right = pipe(TEXT, function_to_apply="sigmoid")
    for name in ("SIGMOID", "Sigmoid"):
        assert pipe(TEXT, function_to_apply=name) == right
    assert pipe(TEXT, function_to_apply=ClassificationFunction.NONE)


def test_names_of_todays_stock_pipeline(tiny_classifier, fresh, capsys):
    task = {"task": "sentiment-analysis", "model": tiny_classifier}
    half = pipeline(**task, torch_dtype=torch.bfloat16, device_map="cpu")
    assert half.model.dtype == torch.bfloat16
    pipeline(**task, device_map="auto", trust_remote_code=False)
    printed = capsys.readouterr().err
    assert "`dtype`" in printed and "`device`" in printed
    with pytest.raises(InputError, match="load.*trust_remote_code=True"):
        pipeline(**task, trust_remote_code=True)
    with pytest.raises(InputError, match="pass device="):
        pipeline(**task, device_map={"": 0})


def test_a_tokenizer_by_name_for_a_model_without_one(pipe, tiny_classifier, tmp_path):
    "What Trainer saves without a tokenizer."
    for name in ("config.json", "model.safetensors"):
        shutil.copy(tiny_classifier / name, tmp_path)
    tok = transformers.AutoTokenizer.from_pretrained(tiny_classifier)
    folder = str(tiny_classifier)
    for given in (tok, folder, tiny_classifier, (folder, {"use_fast": False})):
        found = pipeline("sentiment-analysis", model=tmp_path, tokenizer=given, device="cpu")
        assert found(TEXT)[0] == pytest.approx(pipe(TEXT)[0], abs=1e-5)
    with pytest.raises(InputError, match="holds no tokenizer"):
        pipeline("sentiment-analysis", model=tmp_path)


def test_the_tokenizer_of_a_folder_is_one_however_it_is_named(tiny_classifier, tmp_path):
    import json

    folder = shutil.copytree(tiny_classifier, tmp_path / "model")
    file = folder / "tokenizer_config.json"
    changed = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    task = {"task": "sentiment-analysis", "model": folder, "device": "cpu"}
    alone, named = pipeline(**task), pipeline(**task, tokenizer=folder)
    assert alone.tok.backend.to_str() == named.tok.backend.to_str()
    assert alone("ADA saw")[0] == pytest.approx(named("ADA saw")[0], abs=1e-5)


def test_switches_of_features(tiny_classifier):
    pipe = pipeline("feature-extraction", model=tiny_classifier, device="cpu")
    cut = pipe(LONG, tokenize_kwargs={"truncation": True})
    assert len(cut) == 1 and cut == pipe(LONG, long="truncate")
    with pytest.raises(InputError, match="torch.tensor"):
        pipe(TEXT, return_tensors=True)
    with pytest.raises(InputError, match="max_length has no effect"):
        pipe(TEXT, tokenize_kwargs={"max_length": 5})


def test_features_of_a_model_of_two_halves():
    import tiny

    rust = tiny.unigram()
    model = tiny.seq2seq("t5", rust.get_vocab_size() + 1)
    tok = tiny.tokenizer("t5", rust.to_str())
    with pytest.raises(InputError, match="get_encoder"):
        pipeline("feature-extraction", model=model, tokenizer=tok)("The film")
    half = pipeline("feature-extraction", model=model.get_encoder(), tokenizer=tok)
    assert len(half("The film")[0]) == len(tok("The film")["input_ids"])


@pytest.mark.parametrize("task", ["question-answering", "ner", "summarization"])
def test_offline_advice_names_no_model_without_the_head(task):
    with pytest.raises(InputError, match="pass model= a folder") as e:
        pipeline(task)
    assert "did you mean" not in str(e.value)


def test_a_name_with_a_slip_is_put_right():
    with pytest.raises(InputError, match="did you mean 'bert-base-uncased'"):
        load("bert-base-uncasde")


def test_an_id_below_zero_is_none_and_no_positions_are_no_limit():
    from nlp_tour.hub.inputs import count_positions, model_inputs

    roberta = {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": -1}
    assert count_positions(roberta) == count_positions(roberta | {"pad_token_id": 1}) == 512
    assert (
        model_inputs(roberta).pad_id == model_inputs(roberta | {"pad_token_id": 10**30}).pad_id == 0
    )
    assert count_positions({"max_position_embeddings": 0, "n_positions": 64}) == 64
    assert count_positions({"max_position_embeddings": -1}) is None


def test_an_empty_format_is_no_format(pipe, tmp_path):
    (tmp_path / "texts.txt").write_text(TEXT)
    with pytest.raises(InputError, match="format='' cannot be written"):
        pipe.map_file(tmp_path / "texts.txt", tmp_path / "out.csv", format="")
    assert not (tmp_path / "out.csv").exists()


def test_a_playground_may_begin_empty(pipe):
    from nlp_tour.beyond.playground import playground

    pytest.importorskip("ipywidgets")
    (field,) = playground(pipe, "").fields.values()
    assert field.value == ""
    assert playground(pipe).fields["text"].value


def test_features_of_nothing_have_their_width():
    import tiny_families as families

    for family, name in [("bert", "BertModel"), ("gpt2", "GPT2Model"), ("t5", "T5EncoderModel")]:
        model, tok = families.tiny_model(family, name), families.tiny_tokenizer()
        features = pipeline("feature-extraction", model=model, tokenizer=tok, device="cpu")
        for pooling in ("mean", "cls", "max"):
            wide = features(["w4"], pooling=pooling).shape[1:]
            assert features([], pooling=pooling).shape == (0, *wide)


def test_an_unknown_token_that_is_empty_is_no_other_token(tiny_classifier, tmp_path):
    "transformers cannot open such a folder, and ours does not open it in another way."
    import json

    folder = shutil.copytree(tiny_classifier, tmp_path / "model")
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"unk_token": ""}))
    with pytest.raises(InputError, match="unk_token .. is not in its vocabulary"):
        pipeline("sentiment-analysis", model=folder)


def test_no_token_is_asked_for_and_a_name_of_a_conversation_may_be_zero(tiny_classifier):
    from nlp_tour.tasks.conversational import Conversation

    assert Conversation("w4", conversation_id=0).uuid == 0
    quiet = pipeline("sentiment-analysis", tiny_classifier, token=False, use_auth_token="secret")
    assert quiet(TEXT)


def test_the_two_halves_of_a_model_have_their_own_lengths():
    import tiny_families as families

    small = families.small_settings
    config = transformers.BertConfig(**small(transformers.BertConfig))
    writes = {"max_position_embeddings": 32, "is_decoder": True, "add_cross_attention": True}
    both = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        config, transformers.BertConfig(**small(transformers.BertConfig) | writes)
    )
    both.decoder_start_token_id, both.pad_token_id, both.eos_token_id = 2, 1, 3
    led = "LEDForConditionalGeneration"
    models = [
        (families.tiny_model("led", led, decoder_start_token_id=3), 64),
        (families.tiny_model("led", led, max_decoder_position_embeddings=32), 32),
        (transformers.EncoderDecoderModel(both).eval(), 32),
    ]
    for model, positions in models:
        tok = families.tiny_tokenizer()
        pipe = pipeline("text2text-generation", model=model, tokenizer=tok, device="cpu")
        assert (pipe.task.limit, pipe.task.positions) == (64, positions)
        assert pipe(families.words(0, 62), max_new_tokens=positions - 1)
        with pytest.raises(InputError, match=f"the model writes {positions - 1} at most"):
            pipe("w4", max_new_tokens=positions)
        with pytest.raises(InputError, match="has 65 tokens and the model reads 64"):
            pipe(families.words(0, 63))
