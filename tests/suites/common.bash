# What the suites share. Sourced by each of them; they own their exit.
# shellcheck shell=bash
set -euo pipefail

# shellcheck source=tools/server
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/server"
trap server_stop EXIT
trap 'exit 130' INT TERM HUP

# Ends the suite: closing PASSED FAILED [SKIPPED]. A server process that died is a failure, whoever noticed.
closing() {
    local passed=$1 failed=$2 skipped=${3:-0} log=${server_folder:+$server_folder/work/server.log}
    if [[ -e $log ]] && grep -E -B 5 'was terminated by signal|PANIC: |TRAP: ' "$log"; then
        ((++failed))
    fi
    if ((skipped > 0)); then
        printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    else
        printf '%d passed, %d failed\n' "$passed" "$failed"
    fi
    if ((failed > 0)); then exit 1; else exit 0; fi
}

# Ends the suite with nothing run, and says why.
skip_suite() {
    printf '# skip %s\n' "$*"
    closing 0 0 1
}

# Sets tests to the names of the files FOLDER/*SUFFIX, or of those that match the pattern asked for; skips the suite
# when its folder has none.
find_tests() {
    local folder=$1 suffix=$2 only=${3:-*}
    mapfile -t tests < <(compgen -G "$server_tree/$folder/$only$suffix" | sort)
    if ((${#tests[@]} == 0)); then
        [[ $only == '*' ]] || { echo "no $folder/$only$suffix" >&2; exit 2; }
        skip_suite "no $folder/*$suffix"
    fi
    tests=("${tests[@]##*/}")
    tests=("${tests[@]%"$suffix"}")
}

# The test programs of CMakeLists.txt, built beside the extension; sets programs to their folder.
build_programs() {
    local cache
    cache=$(server_cache)
    programs=$cache/programs-$(printf '%s\n' "$CXX" "${CXXFLAGS:-}" "${WERROR:-}" | cksum | cut -d' ' -f1)
    mkdir -p "$programs"
    (
        flock 9
        cmake --log-level=WARNING -S "$server_tree" -B "$programs" -DCMAKE_CXX_COMPILER="$CXX" \
            -DENTITLE_WERROR="$([[ ${WERROR:-} == 1 ]] && echo ON || echo OFF)" >"$programs/log" 2>&1 &&
            cmake --build "$programs" --target "$1" -j2 >>"$programs/log" 2>&1
    ) 9>"$programs/lock" || { cat "$programs/log"; return 1; }
    grep -E 'warning:' "$programs/log" || true
}

# Counts a GoogleTest report (one JUnit file) and ends the suite.
closing_gtest() {
    local report=$1 status=$2 total failures skipped
    [[ -s $report ]] || { echo 'the program ended before its report'; closing 0 1; }
    read -r total failures skipped < <(sed -n \
        '/<testsuites /{s/.*tests="\([0-9]*\)" failures="\([0-9]*\)" disabled="\([0-9]*\)" errors="\([0-9]*\)".*/\1 \2 \3/p;q}' \
        "$report")
    skipped=$((skipped + $(grep -c 'result="skipped"' "$report" || true)))
    ((status == 0 || failures > 0)) || failures=1
    closing $((total - failures - skipped)) "$failures" "$skipped"
}

# Runs the named tests of pg_regress or pg_isolation_regress through the Makefile, shows the differences, and ends the
# suite: run_regress EXPECTED RESULTS MAKE-ARGUMENT...
run_regress() {
    local expected=$1 results=$2 output=$server_folder/output status=0 good bad test
    # A test with no expected output yet would stop all of them.
    for test in "${tests[@]}"; do
        [[ -e $expected/$test.out ]] || server_as_user touch "$expected/$test.out"
    done
    server_as_user make -s installcheck "${@:3}" >"$output" 2>&1 || status=$?
    cat "$output"
    [[ ! -e ${results%results}regression.diffs ]] || cat "${results%results}regression.diffs"
    if [[ -n ${ENTITLE_ACCEPT:-} ]]; then
        for test in "${tests[@]}"; do
            cp --no-preserve=all "$results/$test.out" "$server_tree/$expected/$test.out"
        done
    fi
    good=$(grep -cE '^(test .* \.\.\. ok |ok [0-9])' "$output" || true)
    bad=$(grep -cE '^(test .* \.\.\. FAILED |not ok [0-9])' "$output" || true)
    ((status == 0 || bad > 0)) || bad=1
    closing "$good" "$bad"
}

# Counts the output of prove --directives: failed tests by file, a total, and each test that was skipped; ends the
# suite.
closing_prove() {
    local output=$1 status=$2 total bad left files
    total=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\),.*/\1/p' "$output")
    bad=$(sed -n 's/.*Failed: \([0-9]*\)).*/\1/p' "$output" | awk '{ n += $1 } END { print n + 0 }')
    left=$(grep -ciE '^ *ok [0-9]+.*# skip' "$output" || true)
    files=$(grep -cE '\.\. skipped:' "$output" || true)
    total=$((${total:-0} - bad - left))
    ((status == 0 || bad > 0)) || bad=1
    closing $((total > 0 ? total : 0)) "$bad" $((left + files))
}
