"Print the lowest supported version of each requirement in settings.ini, as constraints for pip."

from configparser import ConfigParser
from pathlib import Path

settings = ConfigParser(delimiters=["="])
settings.read(Path(__file__).parent.parent / "settings.ini", encoding="utf-8")
config = settings["DEFAULT"]
for requirement in [*config["requirements"].split(), *config["dev_requirements"].split()]:
    if "=" in requirement:
        print(requirement.replace(">=", "==", 1))
