# covls: `make demo` shows what it does, `make test` is everything it takes to test.
# Needs Python 3.11+ and make. Another Python: make PYTHON=/path/to/python3 …

VENV := .venv
BIN := $(VENV)/bin
# Found once, and only by the targets that need it.
PYTHON = $(eval PYTHON := $$(shell scripts/pythons --first))$(PYTHON)
INPUTS := pyproject.toml constraints.txt scripts/environment.py

.DEFAULT_GOAL := dev
.PHONY: help demo dev test lint format pytest test-vscode vscode test-pythons test-lowest bench generate changelog-draft lock clean

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

test: dev ## Everything: style, types, import contracts, the whole suite, the VS Code extension
	@scripts/install-test-tools
	@$(MAKE) --no-print-directory lint pytest
	@scripts/test-vscode --if-there

lint: dev ## Style, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev ## Put the code in ruff's format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pytest: dev ## The suite alone; make pytest ARGS="tests/core -x"
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

test-vscode: dev ## The VS Code extension in a real workbench, which is installed if need be
	@scripts/test-vscode

vscode: dev ## The VS Code extension, as build/vscode/covls.vsix
	@tools=$$(scripts/install-vscode-tools --to-build) || { echo "$$tools" >&2; exit 1; }; \
		PATH="$$tools/node_modules/node/bin:$$PATH" scripts/build-vscode

test-pythons: ## The suite on every Python from 3.11 up; ONLY="3.12 3.13" names some
	@scripts/install-test-tools
	@scripts/test-pythons $(ONLY)

test-lowest: ## The suite with the lowest versions covls says it runs with
	@test -n "$(PYTHON)"
	@"$(PYTHON)" scripts/environment.py --lowest build/environments/lowest test
	build/environments/lowest/bin/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

bench: dev ## covls and coverage.py's reports side by side on a large project
	$(BIN)/python -m benchmarks $(ARGS)

generate: dev ## The files made from the code: the settings' schema and table
	@$(BIN)/python -m scripts.generate

changelog-draft: dev ## What the news fragments say, as the next release's notes
	@$(BIN)/towncrier build --draft --version next

lock: ## constraints.txt anew, with the newest versions that fit together
	@test -n "$(PYTHON)"
	@"$(PYTHON)" scripts/environment.py --lock

clean: ## Everything that was made
	rm -rf $(VENV) build dist editors/vscode/dist editors/vscode/bundled/libs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
