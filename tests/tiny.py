"Tiny random models and tokenizers; the same weights in every version of transformers."

import zlib

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

TEXTS = [
    f"{a} {b} {c} {d}."
    for a in ("The film", "A quiet story", "This sequel", "Her second novel")
    for b in ("is", "was never", "becomes")
    for c in ("a triumph of", "lost in", "full of", "far from")
    for d in (
        "acting and light",
        "cheap tricks",
        "weather, noise and 3 cats",
        "naïve façades",
        "emoji 🤗 and dots …",
    )
]


def noise(name, shape):
    "Random numbers that depend on a weight's name and shape alone."
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))


def fill(model, scale=0.4):
    "Weights by rule: each from its name. The model, in eval mode."
    with torch.no_grad():
        for full_name, w in model.named_parameters():
            name = full_name.removeprefix("model.")
            is_norm = name.endswith("weight") and ("norm" in name or "ln_" in name)
            random = noise(name, w.shape)
            w.copy_(1 + 0.1 * random if is_norm else scale * random)
    return model.eval()


def bpe(size=400, end="</s>", special=("<pad>",)):
    "A byte-level BPE, as GPT-2 has, trained on `TEXTS`."
    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    rust.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[*special, end],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return rust


def unigram(size=160, special=("<pad>", "</s>", "<unk>"), ending=True):
    "A SentencePiece-like Unigram, as T5 has, trained on `TEXTS`."
    rust = Tokenizer(models.Unigram())
    rust.pre_tokenizer = pre_tokenizers.Metaspace()
    rust.decoder = decoders.Metaspace()
    rust.train_from_iterator(
        TEXTS,
        trainers.UnigramTrainer(
            vocab_size=size, special_tokens=list(special), unk_token="<unk>", show_progress=False
        ),
    )
    if ending:
        rust.post_processor = processors.TemplateProcessing(
            single="$A </s>",
            pair="$A </s> $B </s>",
            special_tokens=[("</s>", rust.token_to_id("</s>"))],
        )
    return rust


CODES = {"mbart": ["en_XX", "de_DE", "fr_XX", "ro_RO"]}
SEQ2SEQ = ("t5", "bart", "marian")


def tokenizer(kind, rust):
    "The tokenizer of transformers for a saved Rust one."
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(rust),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
    )


def seq2seq(name, vocabulary, config=None):
    "A tiny encoder-decoder of a kind; ids of <s>, <pad>, </s> are 0, 1, 2."
    import transformers as t

    ids = {"vocab_size": vocabulary, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    ids = dict(**ids, **(config or {}))
    small = {
        "d_model": 16,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 16,
        "decoder_ffn_dim": 16,
        "max_position_embeddings": 64,
    }
    t5 = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    two = {"decoder_start_token_id": 2}
    cls, settings = {
        "t5": (t.T5ForConditionalGeneration, t5 | {"decoder_start_token_id": 1}),
        "bart": (t.BartForConditionalGeneration, small | two | {"forced_eos_token_id": 2}),
        "marian": (
            t.MarianMTModel,
            small | {"decoder_start_token_id": 1, "forced_eos_token_id": None},
        ),
        "mbart": (t.MBartForConditionalGeneration, small | two | {"forced_eos_token_id": 2}),
        "m2m": (t.M2M100ForConditionalGeneration, small | two),
    }[name]
    return fill(cls(cls.config_class(**settings, **ids)))
