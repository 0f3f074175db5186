# make demo [VIDEO=film.mp4] [ARGS="--actions NAME"]   find the people of a film
# make test [ARGS="-k tracker"]                        run the tests
# make lint                                            ruff and mypy
# Each sets up .venv first, with the Python named by PYTHON (3.10 to 3.12).

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
OUT_DIR ?= demo_out

.PHONY: demo test lint venv venv-dev
venv:
	@$(PYTHON) tools/bootstrap.py

venv-dev:
	@$(PYTHON) tools/bootstrap.py --dev

demo: venv
	@video="$${VIDEO:-$$($(VENV_PYTHON) demo/fetch_film.py)}" && \
		$(VENV_PYTHON) demo/tube_demo.py "$$video" --out-dir $(OUT_DIR) $(ARGS)

test: venv-dev
	@$(VENV_PYTHON) -m pytest $(ARGS)

lint: venv-dev
	@$(VENV_PYTHON) -m ruff check . && $(VENV_PYTHON) -m ruff format --check . && $(VENV_PYTHON) -m mypy
