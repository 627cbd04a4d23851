# covls: `make demo` shows what it does, `make test` is everything it takes to test.
# Needs Python 3.11+ and make. Another Python: make PYTHON=/path/to/python3 …

VENV := .venv
BIN := $(VENV)/bin
# Found once, and only by the targets that need it.
PYTHON = $(eval PYTHON := $$(shell scripts/pythons --first))$(PYTHON)
INPUTS := pyproject.toml constraints.txt scripts/environment.py

.DEFAULT_GOAL := dev
.PHONY: help demo dev test lint format pytest test-pythons bench changelog-draft lock clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## A small project, tested and shown as an editor would see it
	@$(BIN)/covls demo

dev: $(VENV)/.dev ## The development environment in .venv (what plain `make` does)

# An interpreter is needed here; without one the shell's message stands and nothing else is tried.
$(VENV)/.demo: $(INPUTS)
	@test -n "$(PYTHON)"
	@"$(PYTHON)" scripts/environment.py $(VENV) demo
	@touch $@

$(VENV)/.dev: $(INPUTS)
	@test -n "$(PYTHON)"
	@"$(PYTHON)" scripts/environment.py $(VENV) dev
	@touch $@ $(VENV)/.demo
