# The front door. Each target installs what it misses (packages.txt), builds what it needs, and runs.
#
#   make up          a hub in the foreground                 ARGS="--plain --listen 127.0.0.1:7777"
#   make test        everything built, all tests             PRESET=debug|asan|tsan
#   make try         a tour that plays itself in a temporary home
#   make bench       the benchmarks                          ARGS="--quick --only echo,micro"
#   make format      clang-format over everything            make check-format only looks
#   make lint        clang-tidy over everything
#   make install     the library and the program             PREFIX=/usr/local

PRESET ?= release
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
ARGS ?=
CMAKE_FLAGS ?=
# That each header compiles alone: seen once, not again under each sanitizer.
HEADERS_ALONE = $(if $(filter release debug,$(PRESET)),all_verify_interface_header_sets)
# That the benchmarks run: measured is the release build, so it is seen there.
BENCH = -DHAWSER_BENCH=$(if $(filter release,$(PRESET)),ON,OFF)

.PHONY: up test try bench format check-format lint install build clean
.DEFAULT_GOAL := build

build:
	@scripts/install-packages build test
	cmake --preset $(PRESET) -DHAWSER_TESTS=ON -DHAWSER_EXAMPLES=ON $(BENCH) $(CMAKE_FLAGS)
	cmake --build --preset $(PRESET) -j $(JOBS) --target all $(HEADERS_ALONE)

up:
	@scripts/install-packages build
	cmake --preset release -DHAWSER_TESTS=OFF -DHAWSER_EXAMPLES=OFF $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS) --target hawser_binary
	@exec build/release/hawser up $(ARGS)

test: build
	@scripts/run-tests $(PRESET)

try:
	@scripts/install-packages build test
	cmake --preset release -DHAWSER_TESTS=OFF -DHAWSER_EXAMPLES=OFF $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS) --target hawser_binary
	@scripts/try build/release/hawser

bench:
	@scripts/install-packages build
	@scripts/install-packages bench || echo "going on without what is not installed"
	cmake --preset release -DHAWSER_TESTS=OFF -DHAWSER_BENCH=ON $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS) --target bench_programs
	@bench/run --build build/release $(ARGS)

format:
	@scripts/install-packages lint
	@scripts/format

check-format:
	@scripts/install-packages lint
	@scripts/format --check

lint:
	@scripts/install-packages build test lint
	@scripts/lint

install: PRESET = release
install: build
	cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build
