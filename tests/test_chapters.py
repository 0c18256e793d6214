"""The six chapters, top to bottom: with the hub's models, and as on machines that are not here.

Routinely the hub's models in all chapters, and a T4 in the first four. NLP_TOUR_CHAPTERS=1 adds
the last two on a T4, and all six on the other machines.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fake_hub import make
from huggingface_hub import scan_cache_dir
from pretending import pretending
from test_machines import MACHINES

root = Path(__file__).resolve().parent.parent
CHAPTERS = [p.stem for p in sorted((root / "nbs").glob("0[1-6]_*.ipynb"))]
ROUTINE = [("a T4", chapter) for chapter in CHAPTERS[:4]]
# Kernels of torch and oneDNN as on an older processor.
OLD_CPU = {"ATEN_CPU_CAPABILITY": "avx2", "DNNL_MAX_CPU_ISA": "AVX2"}


def run(chapter, *machine, **env):
    "Run a chapter in a process of its own; return what it printed."
    command = [sys.executable, "tests/run_chapter.py", f"nbs/{chapter}.ipynb", *machine]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    env = {k: v for k, v in (os.environ | {"PYTHONPATH": paths} | env).items() if v is not None}
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=root, env=env, **how)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    "The folder of a cache with the tour's models and IMDB."
    return make(tmp_path_factory.mktemp("hub"))


def test_the_fake_hub_has_the_layout_of_the_hub(hub):
    found = scan_cache_dir(hub / "hub")
    assert not found.warnings
    assert {r.repo_id for r in found.repos} == {
        "bert-base-cased",
        "bert-base-uncased",
        "distilbert-base-uncased",
        "distilbert-base-uncased-finetuned-sst-2-english",
    }


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_with_the_hubs_models(hub, chapter):
    cache = {"HF_HOME": str(hub), "HF_HUB_OFFLINE": "1", "NLP_TOUR_OFFLINE": None}
    printed = run(chapter, **cache, HF_HUB_CACHE=None, HF_DATASETS_CACHE=None)
    assert "no network" not in printed  # nothing stood in


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("machine", [m for m in MACHINES if m not in ("a V100", "a GTX 1080")])
def test_a_chapter_runs_on(machine, chapter):
    if (machine, chapter) not in ROUTINE and "NLP_TOUR_CHAPTERS" not in os.environ:
        pytest.skip("takes minutes; NLP_TOUR_CHAPTERS=1 runs it")
    run(chapter, machine, NLP_TOUR_OFFLINE="1", **(OLD_CPU if "AVX" in machine else {}))


def test_a_pretended_gpu_refuses_what_a_gpu_would():
    with pretending(MACHINES["a T4"]):
        layer, row = torch.nn.Linear(3, 2).to("cuda"), torch.ones(1, 3)
        with pytest.raises(RuntimeError, match="same device"):
            layer(row)
        out = layer(row.to("cuda"))
        out.sum().backward()
        assert str(out.device) == str(layer.weight.grad.device) == "cuda:0"
        with pytest.raises(TypeError, match="numpy"):
            out.detach().numpy()
        assert layer.to("cpu")(row).device.type == "cpu"
    assert layer.weight.device.type == "cpu" and not torch.cuda.is_available()
