"Build and installation, read from settings.ini."

import shutil
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

here = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(here / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
pythons = [f"3.{minor}" for minor in range(int(cfg["min_python"].split(".")[1]), 15)]


class BuildWithNotebooks(build_py):
    "The package, and the notebooks that it is made from, for `nlp-tour notebooks`."

    def run(self):
        super().run()
        if self.editable_mode:
            return
        for source in (here / "nbs").rglob("*"):
            if source.suffix not in (".ipynb", ".png") or {"_proc", ".ipynb_checkpoints"} & set(
                source.parts
            ):
                continue
            target = (
                Path(self.build_lib) / "nlp_tour" / "notebooks" / source.relative_to(here / "nbs")
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=cfg["author"],
    url=cfg["git_url"],
    license="Apache-2.0",
    keywords=cfg["keywords"].split(),
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Education",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        *(f"Programming Language :: Python :: {v}" for v in ["3", *pythons]),
    ],
    packages=find_packages(include=["nlp_tour", "nlp_tour.*"]),
    cmdclass={"build_py": BuildWithNotebooks},
    package_data={"nlp_tour": ["embedded/*/*"]},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require={
        key.removesuffix("_requirements"): value.split()
        for key, value in cfg.items()
        if key.endswith("_requirements")
    },
    entry_points={
        "console_scripts": cfg["console_scripts"].split(),
        "nbdev": [f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"],
    },
    zip_safe=False,
)
