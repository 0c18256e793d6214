"Print the lowest supported version of each requirement in settings.ini, as constraints for pip."

from configparser import ConfigParser
from pathlib import Path

config = ConfigParser(delimiters=["="])
config.read(Path(__file__).parent.parent / "settings.ini", encoding="utf-8")
for requirement in (
    config["DEFAULT"]["requirements"] + " " + config["DEFAULT"]["dev_requirements"]
).split():
    if "=" in requirement:
        print(requirement.replace(">=", "==", 1))
