# Two commands on a fresh machine: `make ask` and `make test`. Everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PINS := -c constraints.txt
# torch goes first and by its exact version, so that a CPU wheel already at hand is taken.
TORCH := "$$(grep '^torch==' constraints.txt)"
SAMPLE := $(BIN)/python -c 'from importlib.util import find_spec; print(find_spec("skimage").submodule_search_locations[0] + "/data/page.png")'
QUESTION ?= What does the text say?
TRACE ?= runs/ask.html

.PHONY: ask install test check docs picture shots clean

ask: $(VENV)/.core
	@mkdir -p runs
	@$(BIN)/pixelis ask "$$($(SAMPLE))" "$(QUESTION)" --trace $(TRACE)

install: $(VENV)/.full

test: $(VENV)/.full
	$(BIN)/pytest $(ARGS)

check: $(VENV)/.full
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.full
	$(BIN)/pixelis help --out docs/help.md
	$(BIN)/pixelis ops gallery --out docs/gallery
	$(BIN)/python docs/dialects.py
	$(BIN)/python docs/worlds.py

# The picture at the top of README.md: the bundled model's trace as a browser shows it.
picture: $(VENV)/.core
	@mkdir -p runs
	$(BIN)/pixelis ask docs/images/scene.jpg "How many things are on the black sign?" --trace runs/picture.html
	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars \
	  --user-data-dir=$$(mktemp -d) --window-size=1280,860 --screenshot=docs/images/trace.png \
	  file://$(CURDIR)/runs/picture.html

# The pictures of the Studio in docs/images, drawn by its tests.
shots: $(VENV)/.full
	PIXELIS_SHOTS=docs/images $(BIN)/pytest tests/e2e/test_studio.py -p no:cacheprovider

clean:
	rm -rf $(VENV) build runs .mypy_cache .pytest_cache .ruff_cache

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; run: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet $(PINS) $(TORCH)
	$(BIN)/pip install --quiet $(PINS) -e .
	@touch $@

$(VENV)/.full: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet $(PINS) $(TORCH)
	$(BIN)/pip install --quiet $(PINS) -e '.[train,serve,eval,test]'
	@touch $(VENV)/.core $@
