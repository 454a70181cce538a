# The few words of this project. `make` alone lists them.
#   make demo      set up, build, and run the digits pipeline
#   make test      every test, as .ci/run calls it
SHELL := /bin/bash
PREFIX ?= /usr/local
export JOBS ?= $(shell nproc)
PYTHON := .venv/bin/python
SLUICE := build/bin/sluice

.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-report test determinism fuzz bench proof lint docs install clean

help: ## list the words
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## install what building and running needs (Debian 12; quick when it is there)
	@tools/setup.sh core python

build: setup ## build the program: build/bin/sluice
	@tools/build.sh release program

demo: build ## cluster the bundled digits and say where the report is
	@$(SLUICE) run examples/digits/pipeline.yaml -o demo-out --overwrite
	@echo "The report is here: $(CURDIR)/demo-out/report.html"

demo-report: build ## make docs/demo/report.html and docs/img/report.png anew
	@tools/demo_report.sh

test: ## every test: units, Python, checks, sanitizers, page
	@tools/test.sh

determinism: build ## the full product of threads, ranks, formats and memory: one hash each
	@SLUICE_MATRIX=full $(PYTHON) -m pytest tests/determinism_test.py -s -q

fuzz: ## each fuzz target for a minute (FUZZ_SECONDS=60)
	@tools/fuzz.sh

bench: build ## micro-benchmarks and the rivals; CSV under bench/results
	@tools/bench.sh

proof: ## what is too long for make test; writes docs/proof.md
	@tools/proof.sh

lint: ## format, names and clang-tidy on what differs from main (LINT=all: on everything)
	@tools/lint.sh $(LINT)

docs: setup ## check the pages: links, tests named, lengths
	@$(PYTHON) tools/check_docs.py

install: build ## into PREFIX (/usr/local); DESTDIR is honoured
	@tools/build.sh release program sluice
	@cmake --install build --prefix "$(PREFIX)"

clean: ## remove the build folders and the demo's output
	@rm -rf build build-asan build-dev build-fuzz build-no-optional build-tsan demo-out demo-out.work
