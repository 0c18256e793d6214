"""Text generation and conversations against transformers' text-generation on tiny random models."""

import copy
import json
import random
import threading

import pytest
import tiny_families
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import TEXTS, bpe, fill, unigram
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from nlp_tour.all import Conversation, pipeline
from nlp_tour.base import errors
from nlp_tour.base.errors import InputError
from nlp_tour.base.hardware import token_budget
from nlp_tour.tasks.base import read_options

rng = random.Random(0)
PROMPTS = [" ".join(rng.choice(TEXTS).rstrip(".").split()[: rng.randint(1, 8)]) for _ in range(11)]


pytestmark = pytest.mark.usefixtures("one_thread")


def gpt2(tok, **config):
    return fill(
        GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(tok),
                n_positions=64,
                n_embd=32,
                n_layer=2,
                n_head=2,
                bos_token_id=tok.eos_token_id,
                eos_token_id=tok.eos_token_id,
                **config,
            )
        )
    )


@pytest.fixture(scope="module")
def tok():
    return PreTrainedTokenizerFast(tokenizer_object=bpe(), eos_token="</s>", pad_token="<pad>")


@pytest.fixture(scope="module")
def model(tok):
    return gpt2(tok)


def both(model, tok):
    ours = pipeline("text-generation", model=model, tokenizer=tok, progress=False)
    # Up to 5.15 it takes the prefix out of the model's configuration.
    stock = transformers.pipeline("text-generation", model=copy.deepcopy(model), tokenizer=tok)
    if held := getattr(stock, "generation_config", None):
        held.max_new_tokens = None  # up to 5.15 its 256 win over the max_length of a call
    return ours, stock


def asked_of_stock(options, tok):
    "The same request to the stock pipeline of any version."
    asked = {"do_sample": False} | options
    if "stop_strings" in options:
        # Up to 5.15 its stop_sequence ends at any token of that text.
        asked["tokenizer"] = tok
    return asked


def without_padding(answers, pad):
    for a in answers:
        while a.get("generated_token_ids", [None])[-1] == pad:
            a["generated_token_ids"].pop()
    return answers


OPTIONS = [
    {},
    {"return_full_text": False},
    {"return_tensors": True},
    {"prefix": "Once more: "},
    {"prefix": "Once more: ", "max_length": 20, "return_full_text": False},
    {"max_length": 20},
    {"min_new_tokens": 6},
    {"min_length": 12, "max_length": 20},
    {"num_beams": 3},
    {"num_beams": 4, "num_return_sequences": 3, "return_tensors": True},
    {"num_beams": 2, "length_penalty": 0.3, "early_stopping": True},
    {"repetition_penalty": 1.7},
    {"no_repeat_ngram_size": 2},
    {"no_repeat_ngram_size": 2, "num_beams": 3, "max_length": 20},
    {"bad_words_ids": [[5], [9, 11]]},
    {"stop_strings": ["e"]},
    {"eos_token_id": 7},
    {"suppress_tokens": [3, 4, 5]},
    {"prompt_lookup_num_tokens": 2},
    {"generation_config": GenerationConfig(max_new_tokens=4, num_beams=2, do_sample=False)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_equals_the_stock_pipeline_on_a_mixed_batch(model, tok, options):
    if not {"max_length", "generation_config"} & set(options):
        options = {"max_new_tokens": 8} | options
    ours, stock = both(model, tok)
    assert len(PROMPTS) * len(OPTIONS) >= 200
    kwargs = options if "generation_config" in options else asked_of_stock(options, tok)
    theirs = [without_padding(stock(p, **kwargs), tok.pad_token_id) for p in PROMPTS]
    assert ours(PROMPTS, **options) == theirs
    assert ours(PROMPTS[:4][::-1], **options) == theirs[:4][::-1]
    json.dumps(ours(PROMPTS[0], **options))


def test_sampling_draws_what_the_stock_pipeline_draws(model, tok):
    ours, stock = both(model, tok)
    for i, options in enumerate(
        [
            {"do_sample": True},
            {"do_sample": True, "temperature": 1.3, "top_k": 20},
            {"do_sample": True, "num_return_sequences": 3},
        ]
        * 4
    ):
        torch.manual_seed(i)
        theirs = stock(PROMPTS[i % 11], max_new_tokens=8, **options)
        torch.manual_seed(i)
        assert ours(PROMPTS[i % 11], max_new_tokens=8, **options) == theirs


def test_chance_must_be_asked_for(tok):
    model = gpt2(tok)
    model.generation_config.update(do_sample=True, temperature=2.0)
    ours, _ = both(model, tok)
    assert ours(PROMPTS, max_new_tokens=6) == ours(PROMPTS, max_new_tokens=6)
    assert (
        len({json.dumps(ours(PROMPTS[:4], max_new_tokens=6, temperature=1.0)) for _ in range(5)})
        > 1
    )
    assert (
        len({json.dumps(ours(PROMPTS[:4], max_new_tokens=6, do_sample=True)) for _ in range(5)}) > 1
    )
    assert (
        len(
            {
                a["generated_text"]
                for a in ours(PROMPTS[0], max_new_tokens=6, num_return_sequences=4)
            }
        )
        > 1
    )


def test_a_unigram_tokenizer_keeps_the_space_that_the_stock_pipeline_drops():
    tok = PreTrainedTokenizerFast(
        tokenizer_object=unigram(ending=False),
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )
    ours, stock = both(gpt2(tok), tok)
    for p, (a,), (ids,) in zip(
        PROMPTS,
        ours(PROMPTS, max_new_tokens=8),
        ours(PROMPTS, max_new_tokens=8, return_tensors=True),
    ):
        assert stock(p, do_sample=False, max_new_tokens=8, return_tensors=True)[0] == ids
        assert a["generated_text"].replace(" ", "") == stock(p, do_sample=False, max_new_tokens=8)[
            0
        ]["generated_text"].replace(" ", "")
        assert (
            a["generated_text"]
            == p + tok.decode(ids["generated_token_ids"], skip_special_tokens=True)[len(p) :]
        )


def test_a_tokenizer_without_padding_and_a_model_without_an_end():
    tok = PreTrainedTokenizerFast(tokenizer_object=bpe())
    model = fill(
        GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(tok),
                n_positions=64,
                n_embd=32,
                n_layer=2,
                n_head=2,
                bos_token_id=None,
                eos_token_id=None,
            )
        )
    )
    ours, _ = both(model, tok)
    assert ours(PROMPTS, max_new_tokens=5) == [ours(p, max_new_tokens=5) for p in PROMPTS]


@pytest.mark.parametrize("where", ["config", "own", "default"])
def test_who_decides(tok, where):
    model = gpt2(
        tok,
        task_specific_params={
            "text-generation": {"max_length": 15, "do_sample": True, "prefix": "Once: "}
        }
        if where == "config"
        else None,
    )
    if where != "default":
        model.generation_config.update(max_length=25, num_beams=2)
    ours, stock = both(model, tok)
    asked = {
        "config": {"max_length": 15, "num_beams": 2, "prefix": "Once: "},
        "own": {"max_length": 25, "num_beams": 2},
        "default": {"max_new_tokens": 64 - len(tok("The film is")["input_ids"])},
    }[where]
    prompt = "The film is"
    theirs = without_padding(
        both(gpt2(tok), tok)[1](prompt, **asked_of_stock(asked, tok)),
        tok.pad_token_id,
    )
    assert ours(prompt) == theirs
    assert ours(prompt, max_new_tokens=3, num_beams=1) == pipeline(
        "text-generation", model=model, tokenizer=tok, max_new_tokens=3, num_beams=1
    )(prompt)
    assert pipeline("text-generation", model=model, tokenizer=tok, max_new_tokens=3)(
        prompt, max_length=12
    ) == ours(prompt, max_length=12)


def test_special_tokens_only_when_asked(tok, capsys):
    from tokenizers.processors import TemplateProcessing

    rust = bpe()
    rust.post_processor = TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", rust.token_to_id("</s>"))]
    )
    starts = PreTrainedTokenizerFast(tokenizer_object=rust, eos_token="</s>", pad_token="<pad>")
    ours, stock = both(gpt2(starts), starts)
    plain = ours("The film", return_tensors=True, max_new_tokens=3)[0]["generated_token_ids"]
    assert plain[0] != starts.eos_token_id and "add_special_tokens=True" in capsys.readouterr().err
    assert ours("The film", max_new_tokens=6, add_special_tokens=True) == stock(
        "The film", max_new_tokens=6, do_sample=False
    )


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip),
    st.booleans(),
)
def test_a_stream_joins_to_the_answer(model, tok, prompt, full):
    ours, _ = both(model, tok)
    options = {"max_new_tokens": 8, "return_full_text": full}
    assert (
        "".join(ours(prompt, stream=True, **options))
        == ours(prompt, **options)[0]["generated_text"]
    )


def test_an_abandoned_stream_stops_its_thread(model, tok):
    ours, _ = both(model, tok)
    before = threading.active_count()
    stream = ours(PROMPTS[0], stream=True, max_new_tokens=50)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_a_batch_is_planned_with_its_answers_in_mind(model, tok):
    ours, _ = both(model, tok)
    options = read_options(ours.task, {"max_new_tokens": 50, "num_beams": 4})
    row = ours.task.encode(["The film"], options)[0]
    assert row.cost == (len(row) + 50) * 4 // 8
    seen = []
    whole = model.generate
    model.generate = lambda **kw: (
        seen.append(kw["input_ids"].shape[0] * 4 * (kw["input_ids"].shape[1] + 50)) or whole(**kw)
    )
    try:
        ours(PROMPTS * 3, max_new_tokens=50, num_beams=4)
    finally:
        del model.generate
    assert max(seen) <= 8 * token_budget("cpu") * 1.2


BAD = [
    ({"max_new_tokens": 0}, "whole number from 1"),
    ({"max_new_tokens": "9"}, "whole number"),
    ({"num_beams": 1.5}, "whole number"),
    ({"temperature": 0}, "above 0"),
    ({"top_p": 1.5}, "at most 1"),
    ({"do_sample": False, "top_k": 5}, "only when sampling"),
    ({"num_beams": 2, "num_return_sequences": 3}, "num_beams of at least 3"),
    ({"max_new_tokens": 100}, "more than the 64"),
    ({"max_length": 2}, "counts them, too"),
    ({"early_stopping": "soon"}, "early_stopping"),
    ({"long": "window"}, "long='window' is not for"),
    ({"guidance_scale": 2.0, "cache_implementation": "no"}, "cache_implementation"),
]


@pytest.mark.parametrize("options, message", BAD, ids=str)
def test_bad_settings_get_one_sentence(model, tok, options, message):
    ours, _ = both(model, tok)
    with pytest.raises(InputError) as e:
        ours(["The film is a triumph", "A quiet story"], **options)
    assert message in str(e.value) and "\n" not in str(e.value)


@pytest.mark.parametrize(
    "bad, message",
    [
        (" ", "text 1 is empty"),
        (None, "text 1 is missing"),
        (3, "text 1 is int"),
        (b"x", "text 1 is bytes"),
        ({"text": "a", "text_pair": "b"}, "text 1 is a pair"),
        ({"role": "user", "content": "hi"}, "apply_chat_template"),
        ("The film is " * 40, "text 1 has"),
    ],
    ids=str,
)
def test_bad_texts_get_one_sentence_with_their_position(model, tok, bad, message):
    ours, _ = both(model, tok)
    with pytest.raises(InputError, match=message):
        ours(["The film", bad], max_new_tokens=5)


def test_unknown_names_raise_with_the_nearest(model, tok):
    ours, _ = both(model, tok)
    with pytest.raises(TypeError, match="did you mean 'num_beams'"):
        ours("a", num_beam=2)
    with pytest.raises(TypeError, match="did you mean 'return_full_text'"):
        pipeline("text-generation", return_fulltext=True)
    with pytest.raises(InputError, match="loop over"):
        ours(["a"], stream=True)


def test_long_prompts_keep_their_end(model, tok):
    ours, stock = both(model, tok)
    long = " ".join(TEXTS[:20])
    assert ours(long, long="truncate", max_new_tokens=6, return_full_text=False) == stock(
        tok.decode(tok(long)["input_ids"][-58:]),
        max_new_tokens=6,
        do_sample=False,
        return_full_text=False,
    )


def test_shapes(model, tok):
    ours, _ = both(model, tok)
    one, many, lazy = (
        ours("The film", max_new_tokens=3),
        ours(["The film"], max_new_tokens=3),
        ours((p for p in ["The film"]), max_new_tokens=3),
    )
    assert many == [one] and next(lazy) == one and ours([]) == []
    assert type(one[0]["generated_text"]) is str and all(
        type(i) is int
        for i in ours("A", return_tensors=True, max_new_tokens=2)[0]["generated_token_ids"]
    )


# Conversations: transformers dropped them in 4.42; its documentation of 2021 says what they do.


def test_a_conversation_prints_as_in_2021():
    talk = Conversation(
        "Going to the movies tonight - any suggestions?", conversation_id="fd4b7e1c"
    )
    assert (
        repr(talk)
        == "Conversation id: fd4b7e1c \nuser >> Going to the movies tonight - any suggestions? \n"
    )
    talk.mark_processed()
    talk.append_response("The Big Lebowski")
    talk.add_user_input("Is it an action movie?")
    assert repr(talk) == (
        "Conversation id: fd4b7e1c \n"
        "user >> Going to the movies tonight - any suggestions? \n"
        "bot >> The Big Lebowski \n"
        "user >> Is it an action movie? \n"
    )
    assert list(talk.iter_texts()) == [
        (True, talk.past_user_inputs[0]),
        (False, "The Big Lebowski"),
        (True, "Is it an action movie?"),
    ]
    assert (
        talk != Conversation("other")
        and talk == Conversation(conversation_id="fd4b7e1c")
        and talk != 3
    )


def test_a_conversation_is_answered_as_its_turns_joined_by_end_tokens(model, tok):
    bot, (ours, _) = (
        pipeline("conversational", model=model, tokenizer=tok, max_new_tokens=6),
        both(model, tok),
    )
    talks = [
        Conversation(b, past_user_inputs=[a], generated_responses=[c])
        for a, b, c in zip(PROMPTS, PROMPTS[1:], PROMPTS[2:])
    ]
    prompts = [f"{a}</s>{c}</s>{b}</s>" for a, b, c in zip(PROMPTS, PROMPTS[1:], PROMPTS[2:])]
    answered = bot(talks)
    assert [t.generated_responses[-1] for t in answered] == [
        a[0]["generated_text"] for a in ours(prompts, max_new_tokens=6, return_full_text=False)
    ]
    assert all(
        a is b
        and a.new_user_input is None
        and len(a.past_user_inputs) == len(a.generated_responses) == 2
        for a, b in zip(answered, talks)
    )


def test_a_chat_template_is_used_where_there_is_one(model):
    tok = PreTrainedTokenizerFast(tokenizer_object=bpe(), eos_token="</s>", pad_token="<pad>")
    tok.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    bot = pipeline("conversational", model=model, tokenizer=tok, max_new_tokens=6)
    _, stock = both(model, tok)
    for p in PROMPTS[:8]:
        chat = [{"role": "user", "content": p}]
        (answer,) = stock(chat, max_new_tokens=6, do_sample=False)
        theirs = answer["generated_text"][-1]["content"]
        assert bot(Conversation(p)).generated_responses == [theirs]


def test_bad_conversations(model, tok):
    bot = pipeline("conversational", model=model, tokenizer=tok, max_new_tokens=6)
    done = Conversation("hi", past_user_inputs=[], generated_responses=[])
    done.mark_processed()
    for bad, message in [
        (done, "text 1 .* add_user_input"),
        (3, "text 1 is int"),
        (Conversation(" "), "text 1 is empty"),
        ({"text": "hi"}, "text 1 is dict"),
    ]:
        with pytest.raises(InputError, match=message):
            bot([Conversation("hi"), bad])
    with pytest.raises(InputError, match="takes 64"):
        bot(Conversation("film " * 80))
    with pytest.raises(InputError, match="two halves"):
        pipeline(
            "conversational",
            model=transformers.T5ForConditionalGeneration(
                transformers.T5Config(
                    vocab_size=9, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2
                )
            ),
            tokenizer=tok,
        )


def test_a_budget_can_be_measured(model, tok):
    pipe = pipeline(
        "text-generation",
        model=model,
        tokenizer=tok,
        batch_tokens="auto",
        max_new_tokens=4,
        progress=False,
    )
    assert pipe.batch_tokens >= 512 and pipe(PROMPTS) == both(model, tok)[0](
        PROMPTS, max_new_tokens=4
    )


@pytest.mark.parametrize("task, family", [("text-generation", "gpt2"), ("summarization", "bart")])
def test_an_empty_prefix_is_not_the_configurations(task, family):
    heads = {"gpt2": "GPT2LMHeadModel", "bart": "BartForConditionalGeneration"}
    more = {"prefix": "w9 w9 ", "task_specific_params": {task: {"prefix": ""}}}
    model = tiny_families.tiny_model(family, heads[family], **more)
    tok = tiny_families.tiny_tokenizer(model_max_length=48)
    pipe = pipeline(task, model=model, tokenizer=tok, device="cpu", max_new_tokens=3)
    words = [5, 6]
    rows = pipe.task.encode(["w5 w6"], pipe.options)
    assert [i for i in rows[0].ids if i >= tiny_families.FIRST] == words
    del model.config.task_specific_params[task]
    pipe = pipeline(task, model=model, tokenizer=tok, device="cpu", max_new_tokens=3)
    rows = pipe.task.encode(["w5 w6"], pipe.options)
    assert [i for i in rows[0].ids if i >= tiny_families.FIRST] == [9, 9, *words]
    if task == "text-generation":
        rows = pipe.task.encode(["w5 w6"], read_options(pipe.task, {"prefix": ""}, pipe.options))
        assert [i for i in rows[0].ids if i >= tiny_families.FIRST] == words


def test_an_empty_prompt_begins_with_the_models_first_token(model, tok):
    ours, stock = both(model, tok)
    settings = {"max_new_tokens": 5, "do_sample": False}
    (theirs,) = stock("", **settings)
    assert ours("", max_new_tokens=5)[0]["generated_text"] == theirs["generated_text"]
    several = ours(["", "The film", ""], max_new_tokens=5)
    assert several[0] == several[2] == ours("", max_new_tokens=5)


def test_xlnet_is_given_the_text_that_stock_puts_before_its_prompts():
    rust = bpe()
    tok = transformers.PreTrainedTokenizerFast(
        tokenizer_object=rust, pad_token="<pad>", eos_token="</s>", bos_token="</s>"
    )
    sizes = {"d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 16}
    config = transformers.XLNetConfig(vocab_size=len(tok), **sizes)
    xlnet = fill(transformers.XLNetLMHeadModel(config))
    pipe = pipeline("text-generation", model=xlnet, tokenizer=tok, max_new_tokens=1)
    prefix = transformers.TextGenerationPipeline.XL_PREFIX
    (row,) = pipe.task.encode(["The film"], pipe.options)
    assert row.ids == tok(prefix + "The film")["input_ids"]
    (bare,) = pipe.task.encode(["The film"], pipe.read_options({"prefix": ""}))
    assert bare.ids == tok("The film")["input_ids"]


@pytest.mark.parametrize("other", ["return_tensors", "return_full_text"])
def test_two_ways_to_say_what_is_returned_are_refused(model, tok, other):
    ours, _ = both(model, tok)
    with pytest.raises(InputError, match=f"return_text and {other}"):
        ours("The film", return_text=True, **{other: True})


def test_names_of_the_stock_pipeline(model, tok, capsys):
    ours, _ = both(model, tok)
    assert ours(text_inputs="The film", max_new_tokens=3) == ours("The film", max_new_tokens=3)
    long = "The film is " * 40
    hole = ours(long, handle_long_generation="hole", max_new_tokens=3)
    assert hole == ours(long, long="truncate", max_new_tokens=3)
    with pytest.raises(InputError, match="Conversation"):
        pipeline("conversational", model=model, tokenizer=tok)([{"role": "user", "content": "a"}])
    errors._warned.clear()
    bot = pipeline("conversational", model=model, tokenizer=tok, min_length_for_response=3)
    assert "min_new_tokens" in capsys.readouterr().err
    talk = bot(conversations=Conversation("The film"), max_new_tokens=3)
    assert talk == bot(Conversation("The film"), max_new_tokens=3)


def test_answers_of_a_conversation_keep_their_spaces(model, tok):
    bot = pipeline("conversational", model=model, tokenizer=tok, device="cpu", max_new_tokens=5)
    answers = []
    for text in [*PROMPTS, *TEXTS[:30]]:
        ids = torch.tensor([[*tok(text)["input_ids"], tok.eos_token_id]])
        written = model.generate(ids, max_new_tokens=5, do_sample=False, pad_token_id=0)
        right = tok.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
        (answer,) = bot(Conversation(text)).generated_responses
        assert answer == right
        answers.append(answer)
    assert any(answer != answer.strip() for answer in answers)


@pytest.mark.parametrize("task", ["conversational", "text-generation"])
def test_a_model_of_two_halves_is_named(task, tmp_path):
    rust = bpe()
    tok = transformers.PreTrainedTokenizerFast(
        tokenizer_object=rust, pad_token="<pad>", eos_token="</s>", bos_token="</s>"
    )
    size = {
        f"{half}_{name}": n
        for half in ("encoder", "decoder")
        for name, n in (("layers", 1), ("attention_heads", 2), ("ffn_dim", 16))
    }
    config = transformers.BlenderbotConfig(vocab_size=len(tok), d_model=16, **size)
    transformers.BlenderbotForConditionalGeneration(config).save_pretrained(tmp_path)
    tok.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="text2text-generation"):
        pipeline(task, model=tmp_path)
