"""Build the site: `python nbs/site/build.py [--quarto] [--no-model]`; it ends in `_docs/`.

Staging, then one renderer (smalldocs by default, or Quarto where it is installed), then what makes pages light and self-contained."""

import argparse
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import live
from stage import root, stage, staged

site, tools = root / "_docs", root / ".venv-docs" / "node_modules"
KNOWN = re.compile(
    "compiles no Sass|output-file is not read|html-math-method is ignored|respect-user-color-scheme is ignored"
)  # what only Quarto reads
DELIMITER = "/*-- scss:rules --*/"


def without_imports(css):
    "A stylesheet without `@import` of fonts on other sites; a `;` inside the URL does not end it."
    return re.sub(
        r"@import\s+(?:url\((?:\"[^\"]*\"|'[^']*'|[^)]*)\)|\"[^\"]*\"|'[^']*')[^;]*;", "", css
    )


def purge(folder):
    "Leave only the CSS rules that some page or script of the site can use."
    sheets = [
        *folder.glob("site_libs/themes/*.css"),
        folder / "site_libs" / "bootstrap-icons" / "bootstrap-icons.min.css",
    ]
    for path in sheets:
        path.write_text(without_imports(path.read_text(encoding="utf-8")), encoding="utf-8")
    subprocess.run(
        ["node", Path(__file__).with_name("purge.mjs"), tools, folder, *sheets], check=True
    )


def icons(folder):
    "Leave only the icons in their font that a stylesheet of the site names."
    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    sheet, fonts = (
        folder / "site_libs" / "bootstrap-icons" / "bootstrap-icons.min.css",
        folder / "site_libs" / "bootstrap-icons" / "fonts",
    )
    css = sheet.read_text(encoding="utf-8")
    named = {
        int(code, 16)
        for path in folder.rglob("*.css")
        for code in re.findall(r'content:\s*"\\(f[0-9a-f]{3})"', path.read_text(encoding="utf-8"))
    }
    options = subset.Options(flavor="woff")
    font = subset.load_font(fonts / "bootstrap-icons.woff", options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=named)
    cutter.subset(font)
    subset.save_font(font, fonts / "icons.woff", options)
    for old in fonts.glob("bootstrap-icons.*"):
        old.unlink()
    sheet.write_text(
        re.sub(r"src:[^;}]*", 'src:url("fonts/icons.woff") format("woff")', css, count=1),
        encoding="utf-8",
    )


def themes(folder):
    "What Quarto takes from light.scss and dark.scss, for the renderer without Sass: their rules are plain CSS."
    for mode, name in (("light", "cosmo"), ("dark", "darkly")):
        rules = (
            (root / "nbs" / "site" / f"{mode}.scss")
            .read_text(encoding="utf-8")
            .partition(DELIMITER)[2]
        )
        sheet = folder / "site_libs" / "themes" / f"{name}.min.css"
        sheet.write_text(sheet.read_text(encoding="utf-8") + rules, encoding="utf-8")


def maths(folder):
    "Formulas are drawn by KaTeX from this site, not from another."
    there, here = (
        re.compile(r"https://cdn\.jsdelivr\.net/npm/katex@[\d.]+/dist/"),
        folder / "site_libs" / "katex",
    )
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if there.search(text):
            path.write_text(
                there.sub(
                    "../" * (len(path.relative_to(folder).parts) - 1) + "site_libs/katex/", text
                ),
                encoding="utf-8",
            )
    dist = tools / "katex" / "dist"
    for name in (
        "katex.min.css",
        "katex.min.js",
        "contrib/auto-render.min.js",
        *(f"fonts/{p.name}" for p in dist.glob("fonts/*.woff2")),
    ):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(dist / name, here / name)


def render(quarto):
    "Render `_proc/`."
    command = (
        ["quarto", "render", "--no-execute"]
        if quarto
        else [Path(sys.executable).with_name("smalldocs"), "render", "."]
    )
    done = subprocess.run(command, cwd=staged, capture_output=True, text=True)
    said = [
        line
        for line in done.stderr.splitlines()
        if not (KNOWN.search(line) or line.startswith("wrote"))
    ]
    if done.returncode or (said and not quarto):
        sys.exit("\n".join([*said, "the site did not render whole"]))


def replace_folder(new, folder):
    "Put a finished folder in another's place by renames, so that it is never half there; the other goes to where the new one was made."
    if folder.exists():
        folder.rename(new.with_name(".old"))
    new.rename(folder)


def main():
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("--quarto", action="store_true", help="render with Quarto")
    cli.add_argument(
        "--no-model", action="store_true", help="keep the live page's model of the last build"
    )
    args = cli.parse_args()
    stage()
    live.collect(staged / "live", root / ".venv-docs" / "live", tools, fresh=not args.no_model)
    shutil.copy(
        tools / "@jupyter-widgets" / "html-manager" / "dist" / "embed.js",
        staged / "site" / "widgets.js",
    )
    render(args.quarto)
    if not args.quarto:
        purge(staged / "_docs")
        icons(staged / "_docs")
        themes(staged / "_docs")
        maths(staged / "_docs")
    (staged / "_docs" / ".nojekyll").touch()
    replace_folder(staged / "_docs", site)
    shutil.rmtree(staged)
    print(f"{len(list(site.rglob('*.html')))} pages in {site.name}/")


if __name__ == "__main__":
    main()
