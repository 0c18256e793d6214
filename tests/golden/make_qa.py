"""Write qa.json: what the question-answering pipeline of transformers 4.57.1, the last with one,
answers on tiny models.

    pip install --no-deps --target /tmp/old \\
        transformers==4.57.1 "huggingface_hub<1.0" "tokenizers>=0.22,<0.23"
    PYTHONPATH=/tmp/old python tests/golden/make_qa.py
"""

import json
import random
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import tiny_encoders as tiny  # noqa: E402

OPTIONS = [
    {"top_k": 3},
    {"max_answer_len": 3},
    {"handle_impossible_answer": True},
    {"align_to_words": False},
    {"align_to_words": False, "top_k": 4},
    {"top_k": 2, "handle_impossible_answer": True, "max_answer_len": 1},
]

if __name__ == "__main__":
    import transformers

    assert transformers.__version__ == "4.57.1", transformers.__version__
    warnings.simplefilter("ignore")
    classes = {
        "bert": transformers.BertForQuestionAnswering,
        "distilbert": transformers.DistilBertForQuestionAnswering,
        "roberta": transformers.RobertaForQuestionAnswering,
    }
    rng = random.Random(0)
    golden = {
        "transformers": transformers.__version__,
        "options": OPTIONS,
        "tokenizers": {name: json.loads(make().to_str()) for name, make in tiny.TOKENIZERS.items()},
        "answers": {},
    }
    for kind, name in tiny.PAIRS:
        tok = tiny.wrap(
            tiny.Tokenizer.from_str(json.dumps(golden["tokenizers"][name])), 256, kind == "bert"
        )
        model = tiny.fill(classes[kind](tiny.config(kind, len(tok), 256)))
        pipe = transformers.QuestionAnsweringPipeline(model=model, tokenizer=tok)
        texts = [(tiny.sentence(rng, 2, 4), tiny.sentence(rng, 6, 14)) for _ in range(54)]
        golden["answers"][f"{kind}-{name}"] = [
            (
                q,
                c,
                pipe(question=q, context=c),
                pipe(question=q, context=c, **OPTIONS[i % len(OPTIONS)]),
            )
            for i, (q, c) in enumerate(texts)
        ]
    (HERE / "qa.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
