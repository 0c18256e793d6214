"Tiny models and tokenizers, trained here: the same under every version of transformers."

import random
from collections import Counter

from tiny import noise
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, DistilBertConfig, PreTrainedTokenizerFast, RobertaConfig

WORDS = [
    "the",
    "a",
    "an",
    "of",
    "in",
    "on",
    "to",
    "and",
    "or",
    "not",
    "no",
    "is",
    "was",
    "were",
    "she",
    "he",
    "they",
    "it",
    "film",
    "music",
    "river",
    "city",
    "London",
    "Berlin",
    "Paris",
    "New",
    "York",
    "Ada",
    "Grace",
    "Hopper",
    "Lovelace",
    "Turing",
    "wrote",
    "found",
    "saw",
    "met",
    "quiet",
    "loud",
    "early",
    "late",
    "old",
    "young",
    "first",
    "last",
    "house",
    "bridge",
    "paper",
    "engine",
    "number",
    "letter",
    "year",
    "day",
    "night",
    "morning",
    "1843",
    "1952",
    "3.5",
    "well-known",
    "can't",
    "café",
    "naïve",
    "über",
    "señor",
    "Zürich",
    "東京",
    "🤗",
    "half-hearted",
    "unbelievable",
    "extraordinarily",
    "re-opened",
]
SEPARATORS = [" "] * 12 + [", ", ". ", "; ", " - ", "  ", "\n", "! ", "? ", " (", ") "]


def sentence(rng, least=4, most=24):
    "Words with all that stands between words."
    n = rng.randint(least, most)
    text = "".join(rng.choice(WORDS) + rng.choice(SEPARATORS) for _ in range(n))
    return text.strip() + rng.choice([".", "", "!", "?"])


def corpus(seed=7, n=600):
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(n)]


def wordpiece():
    "As BERT's, cased, with pieces marked by ##: single characters and the halves of words."
    # The trainer of tokenizers gives another vocabulary each time.
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=False)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.decoder = decoders.WordPiece()
    # Some characters stay unknown.
    texts = [t.replace("🤗", "").replace("z", "") for t in corpus()]
    seen = [tok.normalizer.normalize_str(t) for t in texts]
    words = Counter(word for t in seen for word, _ in tok.pre_tokenizer.pre_tokenize_str(t))

    def half(w):
        return (len(w) + 1) // 2 if len(w) > 3 else len(w)

    pieces = Counter()
    for word, n in words.items():
        pieces[word[: half(word)]] += n
        if half(word) < len(word):
            pieces["##" + word[half(word) :]] += n
    single = sorted({"##" * (i > 0) + c for w in words for i, c in enumerate(w)})
    frequent = sorted(pieces, key=lambda p: (-pieces[p], p))
    order = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *single]
    order += [p for p in frequent if p not in single]
    vocabulary = {p: i for i, p in enumerate(order[:220])}
    tok.model = models.WordPiece(vocabulary, unk_token="[UNK]")
    tok.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tok


def byte_level():
    "As RoBERTa's, over bytes."
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(
        corpus(),
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tok.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return tok


def unigram():
    "As SentencePiece's, with spaces as a letter."
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizers.NFKC()
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.decoder = decoders.Metaspace()
    seen = [t.replace("🤗", "") for t in corpus()]
    tok.train_from_iterator(
        seen,
        trainers.UnigramTrainer(
            vocab_size=250,
            unk_token="<unk>",
            special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            show_progress=False,
        ),
    )
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tok


TOKENIZERS = {"wordpiece": wordpiece, "byte_level": byte_level, "unigram": unigram}


def wrap(rust, max_length=64, types=False):
    "A tokenizer of transformers from a Rust one."
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    if rust.token_to_id("<s>") is not None:
        names = {
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "mask_token": "<mask>",
            "bos_token": "<s>",
            "eos_token": "</s>",
        }
    return PreTrainedTokenizerFast(
        tokenizer_object=rust,
        model_max_length=max_length,
        model_input_names=["input_ids"] + ["token_type_ids"] * types + ["attention_mask"],
        **names,
    )


def config(kind, vocab, max_length=64, **more):
    "The configuration of a tiny `kind`."
    common = dict(vocab_size=vocab, **more)
    if kind == "distilbert":
        return DistilBertConfig(
            dim=16,
            hidden_dim=32,
            n_layers=2,
            n_heads=2,
            max_position_embeddings=max_length,
            **common,
        )
    common |= {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    if kind == "roberta":
        return RobertaConfig(
            max_position_embeddings=max_length + 2, pad_token_id=1, type_vocab_size=1, **common
        )
    return BertConfig(max_position_embeddings=max_length, **common)


def fill(model, scale=0.6):
    "Weights by rule: each from its name. The model, in eval mode."
    for name, p in model.named_parameters():
        random_values = noise(name, p.shape)
        if "norm.weight" in name.lower():
            p.data = 1 + 0.1 * random_values
        else:
            p.data = random_values * (0.1 if name.endswith("bias") else scale)
    return model.eval()


# Which model goes with which tokenizer.
PAIRS = [
    ("bert", "wordpiece"),
    ("distilbert", "wordpiece"),
    ("roberta", "byte_level"),
    ("roberta", "unigram"),
]
