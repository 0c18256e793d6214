"""Build the site: `python nbs/site/build.py [--quarto] [--no-model]`; it ends in `_docs/`.

Staging, then one renderer (smalldocs by default, or Quarto where it is installed), then what makes
pages light and self-contained."""

import argparse
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import live
from nbdev.config import get_config
from stage import root, stage, staged

sys.path.append(str(root / "tools"))
import install_cells  # noqa: E402

site = root / "_docs"
modules = root / ".venv-docs" / "node_modules"
# Settings that only Quarto reads, in the words of the other renderer.
KNOWN = re.compile(
    "compiles no Sass|output-file is not read|html-math-method is ignored"
    "|respect-user-color-scheme is ignored"
)
DELIMITER = "/*-- scss:rules --*/"
IMPORT = re.compile(r"@import\s+(?:url\((?:\"[^\"]*\"|'[^']*'|[^)]*)\)|\"[^\"]*\"|'[^']*')[^;]*;")
ICON = re.compile(r'content:\s*"\\(f[0-9a-f]{3})"')
KATEX = re.compile(r"https://cdn\.jsdelivr\.net/npm/katex@[\w.]+/dist/")


def rewrite(path, change):
    "Change the text of a file."
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def icon_sheet(folder):
    return folder / "site_libs" / "bootstrap-icons" / "bootstrap-icons.min.css"


def without_imports(css):
    "A stylesheet without `@import` of fonts on other sites; a `;` inside the URL does not end it."
    return IMPORT.sub("", css)


def purge(folder):
    "Leave only the CSS rules that some page or script of the site can use."
    libraries = folder / "site_libs"
    sheets = [*libraries.glob("themes/*.css"), libraries / "smalldocs.css", icon_sheet(folder)]
    for path in sheets:
        rewrite(path, without_imports)
    script = Path(__file__).with_name("purge.mjs")
    subprocess.run(["node", script, modules, folder, *sheets], check=True)


def icons(folder):
    "Leave only the icons in their font that a stylesheet of the site names."
    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    sheet = icon_sheet(folder)
    fonts = sheet.parent / "fonts"
    sheets = [path.read_text(encoding="utf-8") for path in folder.rglob("*.css")]
    named = {int(code, 16) for css in sheets for code in ICON.findall(css)}
    options = subset.Options(flavor="woff")
    font = subset.load_font(fonts / "bootstrap-icons.woff", options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=named)
    cutter.subset(font)
    subset.save_font(font, fonts / "icons.woff", options)
    for old in fonts.glob("bootstrap-icons.*"):
        old.unlink()
    source = 'src:url("fonts/icons.woff") format("woff")'
    rewrite(sheet, lambda css: re.sub(r"src:[^;}]*", source, css, count=1))


def themes(folder):
    """What Quarto takes from light.scss and dark.scss, for the renderer without Sass: their rules
    are plain CSS."""
    for mode, name in (("light", "cosmo"), ("dark", "darkly")):
        scss = (root / "nbs" / "site" / f"{mode}.scss").read_text(encoding="utf-8")
        rules = scss.partition(DELIMITER)[2]
        with open(folder / "site_libs" / "themes" / f"{name}.min.css", "a", encoding="utf-8") as f:
            f.write(rules)


def maths(folder):
    "Let KaTeX draw formulas from this site, not from another."
    for path in folder.rglob("*.html"):
        up = "../" * (len(path.relative_to(folder).parts) - 1)
        text = path.read_text(encoding="utf-8")
        if KATEX.search(text):
            path.write_text(KATEX.sub(f"{up}site_libs/katex/", text), encoding="utf-8")
    dist = modules / "katex" / "dist"
    names = ["katex.min.css", "katex.min.js", "contrib/auto-render.min.js"]
    for name in [*names, *(f"fonts/{p.name}" for p in dist.glob("fonts/*.woff2"))]:
        copy = folder / "site_libs" / "katex" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(dist / name, copy)


def search(folder):
    "Put our search in the place of the renderer's: a script with the same interface."
    ours = Path(__file__).with_name("search.js")
    (theirs,) = (folder / "site_libs").rglob("fuse.min.js")
    shutil.copy(ours, theirs)


SKIP = '<a class="skip" href="#quarto-document-content">Skip to the content</a>'
LOCAL = r"(?!https?:|data:|#|/|mailto:)"
LINK = re.compile(rf'((?:href|src|content)="){LOCAL}(?:\./)?([^"]*\.\w+(?:#[^"]*)?|)"')


# What a reader by ear needs and the renderer leaves out: each region has a name of its own, and an
# empty cell is no heading.
NAMED = {
    '<nav class="navbar ': '<nav aria-label="Site" class="navbar ',
    '<nav class="quarto-secondary-nav"': '<nav aria-label="Menu" class="quarto-secondary-nav"',
    '<nav id="quarto-sidebar"': '<nav aria-label="Pages" id="quarto-sidebar"',
    '<nav id="TOC"': '<nav aria-label="On this page" id="TOC"',
    'aria-label="breadcrumb">': 'aria-label="Place">',
    "<th></th>": "<td></td>",
}


# What folds a section of the sidebar is a button for the keyboard, too; the arrow is its double.
FOLDER = re.compile(r'data-bs-target="(#quarto-sidebar-section-\d+)" role="navigation"')
ARROW = '<a class="sidebar-item-toggle '
# The sidebar stands on each page, so its 150 names go without an element of their own.
NAME = re.compile(
    r'(class="sidebar-item-text sidebar-link[^>]*>)<span class="menu-text">([^<]*)</span>'
)


def accessible(text):
    """A page whose first link leads past header and sidebar, whose regions have names, and whose
    sidebar is folded by keys, too."""
    text = FOLDER.sub(r'data-bs-target="\1" href="\1" role="button"', text)
    text = text.replace(ARROW, ARROW.replace("<a ", '<a tabindex="-1" '))
    text = NAME.sub(r"\1\2", text)
    for found, named in NAMED.items():
        text = text.replace(found, named)
    # There are two rows of breadcrumbs, for wide and for narrow pages.
    text = text.replace('aria-label="Place">', 'aria-label="Place, in short">', 1)
    return re.sub(r"<body[^>]*>", rf"\g<0>{SKIP}", text, count=1)


def page_404(folder):
    "The page for wrong addresses is shown at any depth, so its links start at the site's root."
    start = rf'\g<1>{get_config(path=root).doc_baseurl}/\g<2>"'
    rewrite(folder / "404.html", lambda text: LINK.sub(start, text))


def carry_wheel(folder):
    "Put the package into the site, for notebooks on Colab before there is a release."
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder / "wheel", root]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (folder / "wheel").glob("*.whl")
    assert wheel.name == install_cells.wheel_name(), f"the notebooks ask for another wheel: {wheel}"


def render(quarto):
    "Render `_proc/`."
    smalldocs = [Path(sys.executable).with_name("smalldocs"), "render", "."]
    command = ["quarto", "render", "--no-execute"] if quarto else smalldocs
    done = subprocess.run(command, cwd=staged, capture_output=True, text=True)
    warnings = [line for line in done.stderr.splitlines() if not line.startswith("wrote")]
    warnings = [line for line in warnings if not KNOWN.search(line)]
    if done.returncode or (warnings and not quarto):
        sys.exit("\n".join([*warnings, "the site did not render completely"]))


def replace_folder(new, folder):
    """Put a finished folder in another's place by renames, so that it is never half there; the
    other goes to where the new one was made."""
    if folder.exists():
        folder.rename(new.with_name(".old"))
    new.rename(folder)


def options():
    "The options of the command."
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--quarto", action="store_true", help="render with Quarto")
    cli.add_argument(
        "--no-model", action="store_true", help="keep the live page's model of the last build"
    )
    return cli.parse_args()


def main():
    args = options()
    stage()
    live.collect(staged / "live", root / ".venv-docs" / "live", modules, fresh=not args.no_model)
    widgets = modules / "@jupyter-widgets" / "html-manager" / "dist" / "embed.js"
    shutil.copy(widgets, staged / "site" / "widgets.js")
    render(args.quarto)
    made = staged / "_docs"
    lighter = [] if args.quarto else [purge, icons, themes]
    for finish in (*lighter, maths, search):
        finish(made)
    for path in made.rglob("*.html"):
        rewrite(path, accessible)
    page_404(made)
    carry_wheel(made)
    (made / ".nojekyll").touch()
    replace_folder(made, site)
    shutil.rmtree(staged)
    print(f"{len(list(site.rglob('*.html')))} pages in {site.name}/")


if __name__ == "__main__":
    main()
