"The table of the names of 2021 against the installed libraries: what it calls dead is dead."

import importlib
import subprocess
import sys

from dead_names import is_dead

from nlp_tour.base.names_2021 import entries

ENTRIES = entries()


def instance(entry):
    "A name as code writes it."
    return entry.example or entry.name


def of_kind(*kinds):
    return [e for e in ENTRIES if e.kind in kinds]


def dead(*kinds):
    return list(filter(is_dead, of_kind(*kinds)))


def exists(owner, name):
    "Whether `from owner import name` works."
    try:
        getattr(importlib.import_module(owner), name)
    except (ImportError, AttributeError):
        return False
    return True


def owner_of(path):
    "The class or callable at a dotted path."
    module, *rest = path.split(".")
    found = importlib.import_module(module)
    for name in rest:
        found = getattr(found, name)
    return found


def test_every_entry_is_complete():
    for e in ENTRIES:
        assert e.kind in ("name", "module", "method", "attribute", "argument", "use"), e
        assert e.how in ("revived", "renamed", "told"), e
        assert e.today, e
        assert e.since, e
        assert bool(e.owner) != (e.kind == "module"), e
    keys = [(e.kind, e.owner, e.name) for e in ENTRIES]
    assert len(keys) == len(set(keys))


def test_dead_names_cannot_be_imported():
    assert [e for e in dead("name") if exists(e.owner, instance(e))] == []


OPENS = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    print(name)
"""


def opens(names):
    "Those that a new process can import; transformers adds modules as it goes."
    command = [sys.executable, "-c", OPENS, *names]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_dead_modules_cannot_be_imported():
    modules = dead("module")
    assert len(modules) > 200
    written = {e.write for e in modules if e.write}
    found = opens([*map(instance, modules), *written])
    assert found == written


def test_dead_methods_and_attributes_are_not_there():
    lost = dead("method", "attribute")
    assert [e for e in lost if hasattr(owner_of(e.owner), e.name)] == []
    written = [e for e in lost if e.write and e.kind == "method"]
    assert [e for e in written if not hasattr(owner_of(e.owner), e.write)] == []


def test_what_migrate_writes_for_a_name_exists():
    written = [e for e in of_kind("name") if e.write]
    assert len(written) > 30
    lost = [
        e for e in written if not exists(e.owner, e.write) and not exists("transformers", e.write)
    ]
    assert lost == []
