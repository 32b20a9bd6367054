# Two commands for a new user: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
OUT ?= out/demo

.PHONY: demo test lint format clean

demo: $(INSTALLED)
	$(BIN)/cat-dataset run manifests/demo.toml --out $(OUT)

# Fast tests first, so that a slip shows early; Blender and training come last.
test: $(INSTALLED)
	$(BIN)/python -m pytest -q -m "not bpy and not slow"
	$(BIN)/python -m pytest -q -m "bpy or slow"

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 13)) else "Python %d.%d found: use 3.11 or 3.13, for example make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[all,dev]" --constraint constraints.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
