"Which names of the table of 2021 the installed libraries lack: an older one still has some."

from importlib.metadata import version

from packaging.version import Version

INSTALLED = {name: Version(version(name)) for name in ("transformers", "datasets")}


def is_dead(entry):
    "Whether the installed library is as late as the version without it."
    library = (entry.owner or entry.name).partition(".")[0]
    if entry.since == "deprecated":
        return False
    return library not in INSTALLED or Version(entry.since) <= INSTALLED[library]
