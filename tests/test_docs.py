"The site's configuration and sources: what a browser cannot tell. The pages themselves: `make test-docs`."
import json, re
from pathlib import Path

import pytest, yaml

root = Path(__file__).resolve().parent.parent
config = yaml.safe_load((root/"_quarto.yml").read_text(encoding="utf-8"))

# The subset of Quarto's schema that both renderers read alike: a key is allowed here only after it was tried with both.
ALLOWED = {
    "project": {"type": str, "resources": list},
    "format": {"html": {"theme": {"light": list, "dark": list}, "css": str, "include-in-header": {"text": str}, "toc": bool, "toc-depth": int, "html-math-method": str, "respect-user-color-scheme": bool}},
    "website": {"title": str, "description": str, "favicon": str, "repo-subdir": str, "page-navigation": bool, "llms-txt": bool, "search": {"location": str, "type": str},
                "navbar": {"left": list, "right": list}, "sidebar": {"style": str}, "page-footer": {"center": str}},
    "metadata-files": list,
}


def wrong(value, allowed, where=""):
    "Keys that are not in the subset, and values of another type."
    if isinstance(allowed, type): return [] if isinstance(value, allowed) else [f"{where} is {type(value).__name__}"]
    return [e for k, v in value.items() for e in (wrong(v, allowed[k], f"{where}.{k}") if k in allowed else [f"{where}.{k}"])]


def test_the_configuration_is_valid_for_both_renderers():
    assert wrong(config, ALLOWED) == []
    assert (root/"nbs"/"_quarto.yml").is_symlink() and (root/"nbs"/"_quarto.yml").resolve() == root/"_quarto.yml"
    for entry in [*config["website"]["navbar"]["left"], *config["website"]["navbar"]["right"]]: assert set(entry) <= {"text", "href"} and entry["text"], "an entry without text prints its URL"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_files_are_plain_css_after_their_marker(mode):
    "Quarto compiles them as Sass, the other renderer takes their rules as they are."
    defaults, marker, rules = (root/"nbs"/"site"/f"{mode}.scss").read_text(encoding="utf-8").partition("/*-- scss:rules --*/")
    assert marker and not re.search(r"\$|@include|@import|&|//", rules) and "$web-font-path: false;" in defaults
    assert f"site/{mode}.scss" in config["format"]["html"]["theme"][mode]


def test_nothing_of_the_site_asks_another_server():
    for path in [*(root/"nbs"/"site").iterdir(), root/"nbs"/"try.qmd"]:
        if path.suffix in (".css", ".scss", ".mjs", ".svg", ".qmd"):
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"(src=|url\(|import |fetch\().{0,3}https?:", text), path.name


@pytest.mark.parametrize("path", sorted((root/"nbs").glob("0[1-6]_*.ipynb")), ids=lambda p: p.stem)
def test_a_chapter_installs_the_package_on_colab_only(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = next("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    if "colab-badge" not in "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown"): pytest.skip("no chapter of its own")
    assert 'if "google.colab" in sys.modules:' in first and "%pip install -q nlp_tour" in first
    assert f"/blob/main/nbs/{path.name}" in json.dumps(cells[:3]), "the badge opens another notebook"
