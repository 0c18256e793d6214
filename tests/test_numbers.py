"The numbers in the prose of the chapters are those of the outputs and the code beside them."

import json
import re
from pathlib import Path

import pytest

root = Path(__file__).resolve().parent.parent
PAGES = [*sorted((root / "nbs").glob("0[1-6]_*.ipynb")), root / "nbs/index.ipynb"]
# Numbers that come from elsewhere.
FACTS = {
    "01_pipeline": {
        "0.5309": "the tour's page",
        "65": "NVIDIA's data sheet: T4, float16, in trillions of operations a second",
        "8.1": "the same in float32",
    },
    "03_model": {"0.4": "a bound of exercise 3", "0.6": "the other"},
    "04_customization": {
        "768": "DistilBERT's width",
        "35": "35,068,418 in millions",
        "1,200": "the reviews in beyond/lora",
        "3.15": "3,152,384 in millions",
    },
    "05_trainer": {
        "12.5": "100 / 8",
        "87.5": "the tour's page",
        "0.00005": "5e-5",
        "18,000": "400 × 512 / 11, in thousands",
    },
    "06_native_loop": {"512": "the tour's max_length", "0.69": "the logarithm of 2"},
    "index": {
        "12,752": "10,217 for training and 2,535 for testing",
        "10,217": "the model card",
        "35,068,418": "chapter 4",
        "5,000": "the report",
        "2,500": "the report",
        "0.5309": "the tour's page",
        "0.827": "the report",
        "3.11": "a version",
        "3.10": "a version",
        "2.0": "a licence",
        "2": "a chapter",
        "6": "a chapter",
    },
}
# Links, addresses and code that is shown; years.
NO_NUMBERS = re.compile(r"\]\([^)]*\)|<a .*?</a>|```.*?```|\b20[012]\d\b", re.S)
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")


def shown(cell):
    "A code cell and the texts that it printed."
    parts = [cell["source"]]
    for output in cell["outputs"]:
        data = output.get("data", {})
        parts += [output.get("text", ""), *(v for k, v in data.items() if "image" not in k)]
    return "\n".join("".join(part) for part in parts)


def is_known(number, known):
    "Whether this is one of the known numbers, rounded or as a percentage."
    places = len(number.partition(".")[2])
    return any(f"{x:.{places}f}" == number or f"{100 * x:.{places}f}" == number for x in known)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_numbers_in_prose(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join(shown(c) for c in cells if c["cell_type"] == "code")
    code = re.sub(r"(?<=\d)[,_](?=\d{3})", "", code)
    known = {float(x) for x in re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", code)}
    prose = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    numbers = [x for text in prose for x in NUMBER.findall(NO_NUMBERS.sub(" ", text))]
    facts = FACTS.get(path.stem, {})
    unknown = {x for x in numbers if x not in facts and not is_known(x.replace(",", ""), known)}
    assert not unknown, f"in no output, in no code and not a fact: {sorted(unknown)}"
    assert set(facts) <= set(numbers), "facts that the page does not name"
