# Two commands for a new user: `make demo` and `make test`. Both install what is missing: system
# packages (as root; else they print the command), and everything else into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
INSTALLED := $(VENV)/.installed-$(PY_VERSION)
OUT ?= out/demo

# Blender 5.2 LTS wants Python 3.13; its render tests run where one is found
# one that runs: a shim of pyenv may be found and refuse
PYTHON_5 ?= $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3.13; do \
	"$$python" -c '' 2>/dev/null && echo "$$python" && break; done)
BIN_5 := .venv-5/bin

.PHONY: demo test test-blender-5 test-wheel lint format clean system-packages

demo: $(INSTALLED)
	$(BIN)/cat-dataset run manifests/demo.toml --out $(OUT)

# Fast tests first, so that a slip shows early; Blender and training come last.
test: $(INSTALLED)
	$(BIN)/python -m pytest -q -m "not bpy and not slow"
	$(BIN)/python -m pytest -q -m "bpy or slow"

# The same render tests on Blender 5.2 LTS, in an environment of their own.
test-blender-5:
	@if [ -z "$(PYTHON_5)" ]; then echo "no Python 3.13 found: Blender 5.2 is not tested; set PYTHON_5"; \
	else $(MAKE) --no-print-directory .venv-5/.installed && $(BIN_5)/python -m pytest -q tests/render; fi

.venv-5/.installed: pyproject.toml constraints.txt
	$(PYTHON_5) -m venv .venv-5
	$(BIN_5)/pip install --quiet --editable ".[render,dev]" --constraint constraints.txt
	@touch $@

# The built wheel in an empty environment: help, doctor, and a tiny render.
test-wheel: $(INSTALLED)
	rm -rf build/wheel
	$(BIN)/python -m build --quiet --wheel --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/env
	build/wheel/env/bin/pip install --quiet --constraint constraints.txt "$$(ls build/wheel/*.whl)[render]"
	build/wheel/env/bin/pip check
	build/wheel/env/bin/cat-dataset --help
	build/wheel/env/bin/cat-dataset doctor
	cd build/wheel && env/bin/cat-dataset render ../../manifests/tiny.toml --out tiny
	build/wheel/env/bin/cat-dataset verify build/wheel/tiny

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

system-packages:
	@sh .ci/system-packages $(PYTHON)

# Another Python makes the environment anew. One that could not be made is removed, so that none is
# left half made. The mark is written last: packages that could not be fetched are fetched next time.
$(INSTALLED): pyproject.toml constraints.txt | system-packages
	@[ -d $(VENV)/lib/python$(PY_VERSION) ] || rm -rf $(VENV)
	@rm -f $(VENV)/.installed-*
	@echo "installing Python packages into $(VENV), about 2 minutes"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(BIN)/pip install --quiet --editable ".[all,dev]" --constraint constraints.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-5 build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
