"""Without a network: what opens, and what the sentences say to pass instead works."""

import re

import pytest

from nlp_tour.all import load_dataset, reviews
from nlp_tour.base.errors import InputError
from nlp_tour.hub import names

pytestmark = pytest.mark.usefixtures("one_thread", "no_network")


@pytest.fixture(scope="module")
def no_network():
    "No network, and nothing downloaded before."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NLP_TOUR_OFFLINE", "1")
        patch.setattr(names, "cached", lambda name, revision=None: None)
        yield


# Data sets


@pytest.mark.parametrize(
    "asked, columns, labels, splits",
    [
        (("imdb",), ["text", "label"], ["neg", "pos"], ["train", "test"]),
        (("glue", "sst2"), ["sentence", "label", "idx"], ["negative", "positive"], None),
        (("sst2",), ["sentence", "label", "idx"], ["negative", "positive"], None),
        (
            ("glue", "mrpc"),
            ["sentence1", "sentence2", "label", "idx"],
            ["not_equivalent", "equivalent"],
            None,
        ),
    ],
)
def test_stand_ins_have_the_form_of_their_names(asked, columns, labels, splits):
    ds = load_dataset(*asked)
    assert list(ds) == (splits or ["train", "validation", "test"])
    seen = set()
    for rows in ds.values():
        assert rows.column_names == columns and rows.features["label"].names == labels
        assert set(rows["label"]) == {0, 1}
        own = {text for name in columns[:-2] or ["text"] for text in rows[name] if name != "label"}
        assert len(own) and not own & seen
        seen |= own


def test_labels_of_the_pairs_are_true():
    film = {t: f for split in reviews().values() for t, f in zip(split["text"], split["film"])}
    for rows in load_dataset("glue", "mrpc").values():
        pairs = zip(rows["sentence1"], rows["sentence2"], rows["label"])
        assert all((film[a] == film[b]) == bool(label) for a, b, label in pairs)
        assert 0.4 < sum(rows["label"]) / len(rows) < 0.6


@pytest.mark.parametrize(
    "asked, leads_on",
    [
        (("glue", "cola"), "'glue', 'mrpc'"),
        (("glue",), "'glue', 'sst2'"),
        (("wikitext", "wikitext-2-raw-v1"), "load_dataset('csv'"),
    ],
)
def test_a_data_set_without_a_stand_in_leads_on(asked, leads_on):
    with pytest.raises(InputError, match="the hub cannot be reached") as e:
        load_dataset(*asked)
    assert leads_on in str(e.value)


@pytest.mark.parametrize("name, head", [("conll2003", "TokenClass"), ("squad", "QuestionAnsw")])
@pytest.mark.filterwarnings("ignore:bert-base-cased")
def test_the_lines_in_a_refusal_run(name, head):
    with pytest.raises(InputError) as e:
        load_dataset(name)
    lines = re.search("`(.+)`", str(e.value))[1]
    assert len(lines.split("; ")) == 3
    scope = {}
    exec(lines, scope)
    assert len(scope["data"]["train"]) == 1 and head in type(scope["model"]).__name__
