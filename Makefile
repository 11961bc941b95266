# SPDX-License-Identifier: Apache-2.0
# The front door. What builds is meson and ninja; each target here is one script or one command.

BUILD = build
PREFIX = /usr/local
RANGE_PROGRAMS = tests/synth tests/range-client tests/range-echo tests/range-meter
# Two at a time unless told otherwise: make HOLDFAST_JOBS=8
HOLDFAST_JOBS ?= 2
export HOLDFAST_JOBS

.PHONY: help deps build demo demo-analyze check range soak bench lint fuzz fuzz-afl install deb deb-check clean

build: deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(HOLDFAST_JOBS) --quiet holdfast

$(BUILD)/build.ninja:
	@echo 'building in $(BUILD)/: a few minutes the first time, in which nothing is said'
	@said=$$(meson setup --buildtype=release -Db_lto=true $(BUILD) 2>&1) || { printf '%s\n' "$$said" >&2; exit 1; }

help:
	@echo 'make build    build/holdfast, and what it needs (apt-get, on Debian)'
	@echo 'make demo     a small site is flooded before your eyes, without Holdfast and with it; a minute and a half, root'
	@echo 'make demo-analyze   what it says of captures; nothing is sent'
	@echo 'make check    all tests with two compilers and sanitizers, then lint: what must hold before a change lands'
	@echo 'make range    a platform in network namespaces is attacked, with and without a shield that is told what to drop, then'
	@echo '              with one that nobody tells; RANGE="--scenario NAME" and UNAIDED="--scenario NAME" for one, =no for none'
	@echo 'make lint     scripts/lint; one step of it: scripts/lint clang-tidy'
	@echo 'make fuzz     every harness for FUZZ_SECONDS (60); make fuzz-afl: the same by AFL++'
	@echo 'make soak     memory at SOAK_SOURCES (50,000,000) sources; waves on the range for SOAK_SECONDS (3600); then scenarios'
	@echo 'make bench    times, against the tools one would take instead; BENCH="memory drop" for others than speed: bench/run'
	@echo 'make install  into PREFIX (/usr/local)'
	@echo 'make deb      a Debian package, in build-deb/; make deb-check: install it, use it, purge it, look for what is left'
	@echo 'make deps     only install the packages that the build needs; HOLDFAST_NO_INSTALL=1 only names them'
	@echo 'make clean    remove every build directory'

deps:
	@scripts/deps build

demo: build
	@scripts/on-root scripts/demo

demo-analyze: build
	@scripts/demo-analyze

check:
	@scripts/deps build check range
	@scripts/on-root scripts/check

range: build
	@scripts/deps range
	@ninja -C $(BUILD) -j $(HOLDFAST_JOBS) --quiet $(RANGE_PROGRAMS)
	@[ '$(RANGE)' = no ] || scripts/on-root tests/range/tcp.py $(BUILD)/holdfast
	@[ '$(RANGE)' = no ] || scripts/on-root tests/range/range.py $(BUILD)/holdfast $(filter-out %meter,$(RANGE_PROGRAMS:%=$(BUILD)/%)) $(RANGE)
	@[ '$(UNAIDED)' = no ] || scripts/on-root tests/range/unaided.py $(BUILD)/holdfast $(RANGE_PROGRAMS:%=$(BUILD)/%) $(UNAIDED)

soak: build
	@scripts/on-root scripts/soak

bench: build
	@scripts/deps bench
	@scripts/on-root bench/run $(BENCH)

lint:
	@scripts/deps build check
	@scripts/lint

fuzz:
	@scripts/deps build fuzz
	@scripts/fuzz

fuzz-afl:
	@scripts/deps build fuzz afl
	@scripts/fuzz --afl

install: build
	@meson configure --prefix=$(PREFIX) $(BUILD)
	@ninja -C $(BUILD) --quiet build.ninja
	@meson install -C $(BUILD) --no-rebuild

deb:
	@scripts/deps build deb
	@scripts/deb

deb-check: deb
	@scripts/on-root tests/dist/package.py build-deb/holdfast_*.deb

clean:
	@rm -rf $(BUILD) build-check-gcc build-check-clang build-check-threads build-lint build-fuzz build-afl build-deb
