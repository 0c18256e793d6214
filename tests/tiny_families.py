"A tiny random model of every family that transformers has for text, and a tokenizer for all."

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

PAD, START, END, FIRST, WORDS = 1, 2, 3, 4, 64
POSITIONS = 64

# Names that configurations use for their sizes.
SMALL = dict.fromkeys(
    """hidden_size d_model n_embd dim emb_dim embedding_size d_latents""".split(), 32
)
SMALL |= dict.fromkeys(
    """intermediate_size d_inner encoder_ffn_dim decoder_ffn_dim ffn_dim d_ff hidden_dim dff
    n_inner""".split(),
    48,
)
SMALL |= dict.fromkeys("n_layer n_layers num_layers num_hidden_layers".split(), 2)
SMALL |= dict.fromkeys("encoder_layers decoder_layers num_decoder_layers".split(), 1)
SMALL |= dict.fromkeys(
    """num_attention_heads n_head n_heads num_heads encoder_attention_heads num_experts
    decoder_attention_heads num_key_value_heads num_latents n_routed_experts num_local_experts
    linear_num_value_heads linear_num_key_heads""".split(),
    4,
)
SMALL |= dict.fromkeys(
    """d_kv head_dim entity_vocab_size entity_emb_size rotary_dim kv_channels patch_size
    qk_rope_head_dim qk_nope_head_dim v_head_dim linear_key_head_dim
    linear_value_head_dim""".split(),
    8,
)
SMALL |= dict.fromkeys(
    """moe_intermediate_size shared_expert_intermediate_size q_lora_rank kv_lora_rank
    image_size""".split(),
    16,
)
SMALL |= dict.fromkeys(
    """max_position_embeddings n_positions n_ctx max_seq_len max_encoder_position_embeddings
    max_decoder_position_embeddings max_2d_position_embeddings num_hash_buckets""".split(),
    POSITIONS,
)
SMALL |= dict.fromkeys("n_group topk_group n_shared_experts".split(), 1)
SMALL |= {"num_self_attends_per_block": 1, "num_experts_per_tok": 2, "vocab_size": WORDS}
SMALL |= {"pad_token_id": PAD, "bos_token_id": START, "eos_token_id": END, "sep_token_id": END}

ROPE = {"rope_type": "default", "rope_theta": 1e4}
MAMBA = {"mamba_d_state": 4, "mamba_dt_rank": 4, "n_mamba_heads": 2}
# What some families need besides.
MORE = {
    "cohere_compass_text": {
        "layer_types": ["full_attention", "sliding_attention"],
        "rope_parameters": {"full_attention": ROPE, "sliding_attention": ROPE},
    },
    **dict.fromkeys(["big_bird", "bigbird_pegasus"], {"block_size": 4, "num_random_blocks": 1}),
    "fsmt": {"src_vocab_size": WORDS, "tgt_vocab_size": WORDS},
    "funnel": {"block_sizes": [1, 1], "num_decoder_layers": 1},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "jamba": {
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "mamba_d_state": 4,
        "mamba_expand": 1,
        "mamba_dt_rank": 4,
    },
    "layoutlmv3": {"coordinate_size": 6, "shape_size": 4, "visual_embed": False},
    "lilt": {"hidden_size": 48},
    "led": {"attention_window": 4},
    "longformer": {"attention_window": 4},
    "markuplm": {
        "max_depth": 2,
        "max_xpath_tag_unit_embeddings": 4,
        "max_xpath_subs_unit_embeddings": 4,
        "tag_pad_id": 1,
        "subs_pad_id": 1,
        "xpath_unit_hidden_size": 4,
    },
    "mistral4": {"head_dim": 16},
    "neomme": {"head_dim": 16, "layer_types": ["sliding_attention", "full_attention"]},
    "perceiver": {"num_cross_attention_heads": 4, "num_self_attention_heads": 4},
    "qwen3_5_text": {"layer_types": ["linear_attention", "full_attention"]},
    "qwen3_next": {"layer_types": ["linear_attention", "full_attention"]},
    "reformer": {
        "attn_layers": ["local", "lsh"],
        "axial_pos_shape": [8, 8],
        "axial_pos_embds_dim": [16, 16],
        "num_buckets": 4,
        "lsh_attn_chunk_length": 4,
        "local_attn_chunk_length": 4,
        "attention_head_size": 8,
        "is_decoder": False,
        "feed_forward_size": 48,
        "hash_seed": 0,
    },
    "roc_bert": dict.fromkeys(
        """pronunciation_vocab_size shape_vocab_size pronunciation_embed_dim
        shape_embed_dim""".split(),
        8,
    ),
    "xmod": {"default_language": "en_XX", "languages": ["en_XX"]},
    "zamba": MAMBA
    | {
        "num_hidden_layers": 3,
        "layer_types": ["hybrid", "linear_attention", "hybrid"],
        "attention_head_dim": 16,
    },
    "zamba2": {
        "num_hidden_layers": 4,
        "layer_types": ["linear_attention", "hybrid", "linear_attention", "hybrid"],
        "hybrid_layer_ids": [1, 3],
        "mamba_d_state": 4,
        "n_mamba_heads": 4,
        "mamba_headdim": 16,
        "chunk_size": 8,
        "mamba_ngroups": 1,
    },
}
MORE |= dict.fromkeys(["t5", "mt5", "umt5"], {"decoder_start_token_id": PAD})

MIXED = {"layer_types": ["linear_attention", "full_attention"]}
EXPERTS = {"mlp_layer_types": ["dense", "sparse"], "num_experts_per_token": 2}
STATE = {"mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 4, "mamba_chunk_size": 8}
KIMI = {**MIXED, **EXPERTS, "linear_num_heads": 4, "linear_head_dim": 8}
INDEXER = {"indexer_n_heads": 4, "indexer_kv_heads": 1, "indexer_head_dim": 8}
INDEXER |= {"indexer_budget": 16, "indexer_compress_ratio": 4, "hc_lowrank": 8}
# What some families need besides before they write.
TO_WRITE = {
    "bailing_hybrid": {**KIMI, "num_expert_group": 1},
    "bamba": {**STATE, "attn_layer_indices": [1]},
    **dict.fromkeys(["bigbird_pegasus", "mvp", "plbart", "reformer"], {"is_decoder": True}),
    # Its prompt has 16 more tokens of its own.
    "cpmant": {"vocab_size": 48, "prompt_types": 4, "prompt_length": 4, "dim_head": 8},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "rope_theta": 1e4, "clip_qkv": 8},
        "ffn_config": {"hidden_size": 32, "ffn_hidden_size": 48},
    },
    "dots3_note": {
        "layer_types": ["indexed_attention", "sliding_attention"],
        "per_layer_config": {1: {"head_dim": 16}},
        "head_dim": 16,
        "index_topk": 16,
        "index_head_dim": 8,
    },
    "gemma3n_text": {
        "num_kv_shared_layers": 0,
        "layer_types": ["sliding_attention", "full_attention"],
        "vocab_size_per_layer_input": WORDS,
        "hidden_size_per_layer_input": 8,
        "activation_sparsity_pattern": [0.0, 0.0],
    },
    "granitemoehybrid": {**STATE, **MIXED, "shared_intermediate_size": 16},
    "kimi_linear": KIMI,
    "lfm2_moe": {"layer_types": ["conv", "full_attention"], "num_dense_layers": 1},
    "lfm3": {"layer_types": ["conv", "full_attention"]},
    "mamba2": {"num_heads": 4, "head_dim": 16, "n_groups": 1, "state_size": 4, "chunk_size": 8},
    "mimo_v2_flash": {
        "layer_types": ["full_attention", "sliding_attention"],
        "head_dim": 16,
        "num_key_value_heads": 2,
    },
    **dict.fromkeys(["qwen3_5_moe", "qwen3_5_moe_text"], MIXED),
    **dict.fromkeys(
        ["qwen4_exp", "qwen4_exp_text"],
        {**INDEXER, "layer_types": ["linear_attention", "indexed_attention"]},
    ),
    "recurrent_gemma": {
        "num_hidden_layers": 3,
        "block_types": ["recurrent", "recurrent", "attention"],
        "lru_width": 32,
        "attention_window_size": 16,
    },
    "xlstm": {"embedding_dim": 128, "hidden_size": 128, "chunk_size": 8},
    "zaya": {"num_experts_per_tok": 1},
}


def families(head):
    "Family -> class, as transformers maps them for a head."
    return dict(getattr(modeling_auto, f"MODEL_FOR_{head}_MAPPING_NAMES"))


def small_settings(config_class, family=""):
    "Small numbers for all sizes that a configuration has, and for those inside it."
    usual = config_class().to_dict()
    settings = {
        name: size
        for name, size in SMALL.items()
        if name in usual and (usual[name] is None or type(usual[name]) is int)
    }
    for name, inner_class in getattr(config_class, "sub_configs", {}).items():
        inner = usual.get(name)
        if isinstance(inner, dict):
            kind = inner.get("model_type", "")
            # A mapping that is filled on demand: its `get` knows nothing that was not asked for.
            known = CONFIG_MAPPING[kind] if kind in CONFIG_MAPPING else inner_class  # noqa: SIM401
            settings[name] = small_settings(known, kind)
    return settings | MORE.get(family, {})


def tiny_model(family, class_name, **settings):
    "A random model, its weights large enough that every token counts."
    config_class, model_class = CONFIG_MAPPING[family], getattr(transformers, class_name)
    if not issubclass(config_class, model_class.config_class):
        # The text's half of a model that also sees or hears.
        config_class = model_class.config_class
        family = config_class.model_type
    config = config_class(**small_settings(config_class, family) | settings)
    torch.manual_seed(0)
    model = model_class(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.3)
    return model.eval()


def tiny_tokenizer(typed=None, pair="<s>:0 $A:0 </s>:0 $B:1 </s>:1", **settings):
    "Words w4, w5, … as ids 4, 5, …; `typed` says whether its files name token types."
    names = ["<unk>", "<pad>", "<s>", "</s>"]
    ids = {word: i for i, word in enumerate(names + [f"w{i}" for i in range(FIRST, WORDS)])}
    rust = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rust.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair=pair, special_tokens=[("<s>", START), ("</s>", END)]
    )
    if typed is not None:
        settings["model_input_names"] = ["input_ids", "attention_mask"]
        settings["model_input_names"] += ["token_type_ids"] * typed
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=rust,
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        **settings,
    )


def words(start, n):
    "A text of `n` words."
    return " ".join(f"w{FIRST + (start + 7 * i) % (WORDS - FIRST)}" for i in range(n))
