"""Build the site: `python nbs/site/build.py [--quarto] [--no-model]`; it ends in `_docs/`.

Staging, then one renderer (smalldocs by default, or Quarto where it is installed), then what makes pages light and self-contained."""
import argparse, re, shutil, subprocess, sys
from pathlib import Path

import live
from stage import root, stage, staged

site, tools = root/"_docs", root/".venv-docs"/"node_modules"
KNOWN = re.compile("compiles no Sass|output-file is not read|html-math-method is ignored|respect-user-color-scheme is ignored")  # what only Quarto reads
DELIMITER = "/*-- scss:rules --*/"


def without_imports(css):
    "A stylesheet without `@import` of fonts on other sites; a `;` inside the URL does not end it."
    return re.sub(r"@import\s+(?:url\((?:\"[^\"]*\"|'[^']*'|[^)]*)\)|\"[^\"]*\"|'[^']*')[^;]*;", "", css)


def purge(folder):
    "Leave only the CSS rules that some page or script of the site can use."
    sheets = [*folder.glob("site_libs/themes/*.css"), folder/"site_libs"/"bootstrap-icons"/"bootstrap-icons.min.css"]
    for path in sheets: path.write_text(without_imports(path.read_text(encoding="utf-8")), encoding="utf-8")
    subprocess.run(["node", Path(__file__).with_name("purge.mjs"), tools, folder, *sheets], check=True)


def themes(folder):
    "What Quarto takes from light.scss and dark.scss, for the renderer without Sass: their rules are plain CSS."
    for mode, name in (("light", "cosmo"), ("dark", "darkly")):
        rules = (root/"nbs"/"site"/f"{mode}.scss").read_text(encoding="utf-8").partition(DELIMITER)[2]
        sheet = folder/"site_libs"/"themes"/f"{name}.min.css"
        sheet.write_text(sheet.read_text(encoding="utf-8") + rules, encoding="utf-8")


def render(quarto):
    "Render `_proc/`."
    command = ["quarto", "render", "--no-execute"] if quarto else [Path(sys.executable).with_name("smalldocs"), "render", "."]
    done = subprocess.run(command, cwd=staged, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if not (KNOWN.search(line) or line.startswith("wrote"))]
    if done.returncode or (said and not quarto): sys.exit("\n".join([*said, "the site did not render whole"]))


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--quarto", action="store_true", help="render with Quarto")
    cli.add_argument("--no-model", action="store_true", help="keep the live page's model of the last build")
    args = cli.parse_args()
    stage()
    live.collect(staged/"live", root/".venv-docs"/"live", tools, fresh=not args.no_model)
    shutil.copy(tools/"@jupyter-widgets"/"html-manager"/"dist"/"embed.js", staged/"site"/"widgets.js")
    render(args.quarto)
    if not args.quarto:
        purge(staged/"_docs")
        themes(staged/"_docs")
    shutil.rmtree(site, ignore_errors=True)
    shutil.move(staged/"_docs", site)
    (site/".nojekyll").touch()
    shutil.rmtree(staged)
    print(f"{len(list(site.rglob('*.html')))} pages in {site.name}/")


if __name__ == "__main__": main()
