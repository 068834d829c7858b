# The front door: each target does its own set-up and hands over to CMake's presets. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := all
.NOTPARALLEL:

# CMake takes the launcher from the environment; empty means none.
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(shell command -v ccache)
export CMAKE_CUDA_COMPILER_LAUNCHER ?= $(CMAKE_CXX_COMPILER_LAUNCHER)

CXX_SOURCES = git ls-files -z '*.cpp' '*.hpp' '*.cu' '*.cuh'
SETUP = cmake/install_packages.sh

.PHONY: all demo test test-slow fuzz gpu-bundle image image-cuda lambda asan tsan format format-check lint clean help

all: setup-build build/build.ninja  ## Build everything (release) into build/; programs are in build/bin/
	cmake --build --preset release

demo: setup-build build/build.ninja  ## Train on drawn scenes, or on real tiles with DATA=DIR, and make pictures of the smoke found
	cmake --build --preset release --target plume
	unet/demo.sh $(if $(DATA),"$(DATA)")

test: setup-test build/build.ninja  ## Build and run the tests; the last line counts them
	cmake --build --preset release
	tests/run.py release

test-slow: setup-slow build/build.ninja  ## As test, with the tests that take minutes
	cmake --build --preset release
	tests/run.py slow

asan: setup-test build-asan/build.ninja  ## Run the unit tests under AddressSanitizer and UBSan, in build-asan/
	cmake --build --preset asan
	tests/run.py asan

# GCC 12's ThreadSanitizer cannot map its shadow under the address randomisation of newer kernels, hence setarch.
tsan: setup-test build-tsan/build.ninja  ## Run the loader's tests under ThreadSanitizer, in build-tsan/
	setarch -R cmake --build --preset tsan
	setarch -R tests/run.py tsan

fuzz: setup-fuzz  ## Fuzz the parsers of file formats for 5 minutes, or SECONDS=N, in build-fuzz/; not part of CI
	@command -v clang++ >/dev/null || \
	  { echo "make fuzz needs clang and its libFuzzer: install clang and libclang-rt-dev" >&2; exit 4; }
	cmake -S tests/fuzz -B build-fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
	cmake --build build-fuzz
	tests/fuzz/run.sh build-fuzz $(if $(filter command% environment%,$(origin SECONDS)),$(SECONDS),300)

gpu-bundle: setup-build build/build.ninja  ## Make build/gpu-bundle/, to test and measure on a machine with a GPU: gpu-check.sh
	cmake --build --preset release --target test_cuda test_unet_cuda test_nccl_cuda gpu_bench
	bench/gpu/bundle.sh build build/gpu-bundle

image: setup-image build-image/build.ninja  ## Make an OCI image of plume-infer, without a base image, in build-image/image/
	cmake --build --preset image --target plume-infer
	unet/serve/image/image.sh build-image/bin/plume-infer plume-infer:cpu build-image/image

image-cuda: setup-image build-image-cuda/build.ninja  ## The same for NVIDIA GPUs, in build-image-cuda/image/
	cmake --build --preset image-cuda --target plume-infer
	unet/serve/image/image.sh build-image-cuda/bin/plume-infer plume-infer:cuda build-image-cuda/image

lambda: setup-build build-lambda/build.ninja  ## Make the function for AWS Lambda, in build-lambda/plume-lambda.zip
	cmake --build --preset lambda --target plume-lambda
	cloud/lambda/package.sh build-lambda/bin/plume-lambda build-lambda/plume-lambda.zip

format: setup-develop  ## Format all C++
	$(CXX_SOURCES) | xargs -0 clang-format -i

format-check:  ## Say where the format differs
	$(CXX_SOURCES) | xargs -0 clang-format --dry-run --Werror

lint: setup-build setup-develop build/build.ninja  ## Run clang-tidy on all C++; prints nothing when clean (FILES=pattern picks)
	@cmake/lint.sh build $(FILES)

clean:  ## Remove what was built
	rm -rf build build-asan build-tsan build-fuzz build-image build-image-cuda build-lambda

help:  ## Say what each target does
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1\t\2/p' Makefile | expand -t 14

.PHONY: setup-build setup-test setup-slow setup-fuzz setup-image setup-develop
setup-build:
	@$(SETUP) build
setup-test:
	@$(SETUP) build test
setup-slow:
	@$(SETUP) build test slurm cloud peers
	@cmake/install_peers.sh build/peers
setup-fuzz:
	@$(SETUP) build fuzz
setup-image:
	@$(SETUP) build image
setup-develop:
	@$(SETUP) develop

# A configured folder keeps itself up to date, unless the presets change.
build/build.ninja: CMakePresets.json | setup-build
	cmake --preset release
build-asan/build.ninja: CMakePresets.json | setup-build
	cmake --preset asan
build-tsan/build.ninja: CMakePresets.json | setup-build
	cmake --preset tsan
build-image/build.ninja: CMakePresets.json | setup-build
	cmake --preset image
build-lambda/build.ninja: CMakePresets.json | setup-build
	cmake --preset lambda
build-image-cuda/build.ninja: CMakePresets.json | setup-build
	cmake --preset image-cuda
