# Everything that is done with Pyzzicato from a shell. `make` alone lists it.
#
#   PYTHON=python3.12 make app        another Python for a new .venv (3.11 to 3.13)
#   SYSTEM_PACKAGES=no make app       leave the system's packages alone

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-dev system-packages app test lint types check clean
export PYTHON SYSTEM_PACKAGES

python := .venv/bin/python

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: ## make .venv, install what the app needs, FluidSynth and a piano soundfont
	@.ci/set-up app
	@.ci/system-packages app

setup-dev: ## the same, and what the checks need, a browser among it
	@.ci/set-up dev
	@.ci/system-packages test

system-packages: ## try once more to install FluidSynth, the soundfont and the browser
	@.ci/system-packages test again

app: setup ## start the page on 127.0.0.1:7860
	@$(python) app.py

test: setup-dev ## run the tests, two files at a time
	@$(python) -m pytest --numprocesses 2 --dist loadfile

lint: setup-dev ## look for faults of style and slips (ruff)
	@$(python) -m ruff check .

types: setup-dev ## check the types (mypy)
	@$(python) -m mypy

check: lint types test ## what CI runs: lint, types, tests

clean: ## remove caches and build files; .venv, data and runs stay
	rm -rf build dist ./*.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -exec rm -rf {} +
