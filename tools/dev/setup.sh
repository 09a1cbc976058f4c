# Set-up steps, each done once and stamped by what it depends on. Sourced by ./dev.

export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
# Warnings do not change code: the strict build and `pip install .` share objects.
export CCACHE_IGNOREOPTIONS='-W*'
export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

# once NAME KEY COMMAND...: runs COMMAND unless it succeeded before with the same KEY.
once() {
  local name=$1 key=$2 stamp=build/stamps/$1
  shift 2
  [[ -f $stamp && $(cat "$stamp") == "$key" ]] && return 0
  "$@"
  mkdir -p build/stamps
  printf '%s' "$key" >"$stamp"
}

hash_of() { cat "$@" | sha256sum | cut -c1-16; }

as_root() { if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi; }

# need_packages LIST: the Debian packages of tools/dev/packages/LIST.txt.
need_packages() {
  local list=tools/dev/packages/$1.txt
  once "packages-$1" "$(hash_of "$list")" install_packages "$list"
}

install_packages() {
  local wanted missing=() package
  wanted=$(grep -v '^#' "$1")
  for package in $wanted; do
    # A newer cargo than Debian's may be on the PATH already.
    [[ $package == cargo-web ]] && command -v cargo >/dev/null && continue
    # Likewise an interpreter of the right age that brings its own venv and headers.
    [[ $package == python3* ]] && have_python && continue
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return 0
  say "installing ${#missing[@]} Debian packages of ${1##*/}: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

have_python() {
  python3 -c 'import sys, venv, ensurepip, sysconfig, pathlib
ok = sys.version_info >= (3, 11) and (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists()
sys.exit(not ok)' 2>/dev/null
}

# BLAKE3's C code lies in its crate; cargo fetches exactly the locked one.
need_blake3() {
  once blake3 "$(hash_of third_party/blake3/Cargo.toml third_party/blake3/Cargo.lock)" vendor_blake3
}

vendor_blake3() {
  say "fetching BLAKE3's official C code"
  mkdir -p build
  cargo vendor --quiet --locked --manifest-path third_party/blake3/Cargo.toml build/vendor >/dev/null
}

need_build() {
  need_packages build
  need_blake3
}

# build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1
  shift
  say "building $preset"
  cmake --preset "$preset" >build/cmake-"$preset".log || { cat build/cmake-"$preset".log >&2; return 1; }
  cmake --build --preset "$preset" -- "$@" >build/build-"$preset".log || { tail -60 build/build-"$preset".log >&2; return 1; }
}

# The virtual environment with both frameworks, and the package itself in it.
need_python() {
  need_build
  need_packages python
  need_venv
  say "installing the flair package into .venv"
  .venv/bin/pip install --quiet --no-build-isolation --no-deps . >&2
}

need_venv() {
  local lock=python/requirements/lock.txt key
  key=$(hash_of "$lock")-$(python3 -c 'import sys; print(sys.version)' | head -1)
  [[ -x .venv/bin/pip ]] || rm -f build/stamps/venv
  once venv "$key" make_venv "$lock"
}

make_venv() {
  say "creating .venv with PyTorch and TensorFlow (7 GB; about two minutes)"
  [[ -x .venv/bin/python ]] || python3 -m venv .venv
  .venv/bin/pip install --quiet --no-deps -r "$1" >&2
}
