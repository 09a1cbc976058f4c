# ./dev test: every stage, its time beside its share, one count at the end. Sourced by ./dev.

# name:share in minutes of 45 on two cores from a bare machine.
STAGES=(setup:4 style:1 release:6 core:3 mutate:2 asan:8 fuzz:1 tsan:3 package:2 python:3 families:4 cli:1 files:1 hub:2 faults:2 demo:2)

RESULTS=build/results

run_tests() {
  local wanted=("$@") stage name share start seconds broken='' failed=()
  if [[ ${#wanted[@]} -eq 0 ]]; then wanted=("${STAGES[@]%%:*}"); fi
  rm -rf "$RESULTS"
  mkdir -p "$RESULTS"
  for stage in "${STAGES[@]}"; do
    name=${stage%%:*} share=${stage##*:}
    [[ " ${wanted[*]} " == *" $name "* ]] || continue
    say "stage $name"
    start=$SECONDS
    # A stage runs in a bash of its own, so that its first failure ends it and not the run;
    # `set -e` has no effect in a function called inside a condition, and a background job would ignore Ctrl-C.
    if ! bash -euo pipefail -c 'source tools/dev/setup.sh; source tools/dev/test.sh; "stage_$1"' _ "$name"; then
      failed+=("$name")
      broken=$name
      echo "stage $name failed" >&2
    fi
    seconds=$((SECONDS - start))
    printf 'stage %-9s %4d s of %4d s\n' "$name" "$seconds" "$((share * 60))" | tee -a "$RESULTS/times.txt"
    # Nothing after these can run without them.
    [[ $broken =~ ^(setup|release)$ ]] && break
  done
  python3 tools/dev/summary.py "$RESULTS" "${failed[@]}"
}

stage_setup() {
  need_build
  need_packages python
  need_packages test
  need_venv
}

stage_style() {
  python3 tools/check_layers.py
  python3 tools/check_docs.py
  python3 tools/verdict.py
  check_format
}

check_format() {
  local unformatted
  unformatted=$(git ls-files 'src/*.h' 'src/*.cc' 'python/*.h' 'python/*.cc' |
    xargs -r clang-format-14 --dry-run 2>&1 | grep -oE '^[^: ]+[.](h|cc):' | sort -u || true)
  [[ -z $unformatted ]] && return 0
  printf 'not formatted; run ./dev format:\n%s\n' "$unformatted" >&2
  return 1
}

stage_release() { build_preset release; }

# Runs every test program of a build, two at a time; each leaves its counts as JSON.
run_core_tests() {
  local preset=$1 only=${2:-.}
  mkdir -p "$RESULTS/$preset"
  find "build/$preset/src" -name '*_test' -type f -perm -u+x | grep -E "$only" | sort |
    xargs -P2 -I{} sh -c '
      name=$(basename "$1")
      "$1" --gtest_brief=1 --gtest_output=json:"$2/$name.json" >"$2/$name.log" 2>&1 ||
        { echo "FAILED: $1"; tail -40 "$2/$name.log"; exit 1; }' _ {} "$RESULTS/$preset"
}

# The modules, the reference beside them, and that the examples are proven soundly.
stage_core() {
  run_core_tests release
  python3 tools/soundness.py
  run_pytest reference tests/reference
}

# Every check of the verifier off in turn; the release build's test programs, linked again.
stage_mutate() { python3 tools/mutate.py --junit "$RESULTS/mutate.xml"; }

stage_asan() {
  build_preset asan
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  run_core_tests asan
}

stage_fuzz() { python3 tools/fuzz.py --junit "$RESULTS/fuzz.xml"; }

stage_tsan() {
  build_preset tsan base_test store_test repo_test merge_test hub_test
  run_core_tests tsan '/(base|store|repo|merge|hub)_test$'
}

stage_package() { need_python; }

run_pytest() {
  local name=$1
  shift
  .venv/bin/python -m pytest -q --junitxml "$RESULTS/$name.xml" "$@"
}

stage_python() {
  run_pytest python python/tests --ignore python/tests/test_families_torch.py --ignore python/tests/test_families_keras.py
  run_pytest program tests/program
}

stage_families() {
  run_pytest families_torch python/tests/test_families_torch.py &
  local torch=$!
  run_pytest families_keras python/tests/test_families_keras.py
  wait "$torch"
}

stage_cli() { run_pytest cli tests/cli; }

stage_files() { run_pytest files tests/files; }

stage_hub() { run_pytest hub tests/hub tests/transfer; }

stage_faults() { run_pytest faults tests/faults; }

stage_demo() { run_pytest demo tests/demo; }
