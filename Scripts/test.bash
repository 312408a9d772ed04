# shellcheck shell=bash
# Part of ./platform: building, and running the tests.
# shellcheck disable=SC2154 # variables of ./platform

# ---- Building ---------------------------------------------------------------------------------------------------

# For programs that run for a minute and are not the product: nothing is counted for a later, better compilation, pages of code are not
# mapped twice, which is a defence, and 64 MiB (in hexadecimal) are filled before memory is collected. It halves the time of a build.
for_a_minute=(env DOTNET_TieredPGO=0 DOTNET_EnableWriteXorExecute=0 DOTNET_GCgen0size=4000000)

# One compiler serves all projects, which is done in half the time of one for each; it has a name of its own, by which it is ended.
compiler=platform-$$
compile() { # PROJECT PROPERTY...
  plainly "${for_a_minute[@]}" dotnet build "$plain_root/$1" "${@:2}" -c "$configuration" -v quiet --nologo -nodeReuse:false -p:UseSharedCompilation=true "-p:SharedCompilationId=$compiler"
}
end_compiler() {
  local pids; mapfile -t pids < <(grep -lzxF -- "-pipename:$compiler" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3)
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
}

# build PROJECT: builds it unless nothing it may depend on changed since the last time
build() {
  local stamp key newer started=$SECONDS log=$root/artifacts/build.log status=0
  stamp=$root/artifacts/.built-$(basename "${1%.*}") key="$(profile) $configuration $cache"
  if [[ -e $stamp && $(<"$stamp") == "$key" ]]; then
    # A directory is newer too when something in it was removed.
    newer=$(find "$root" -mindepth 1 \( -name artifacts -o -name node_modules -o -name bin -o -name obj -o -name '.*' -o -name docs \) -prune \
      -o -newer "$stamp" ! -name '*.md' ! -path "$root/platform" -print -quit)
    [[ -n $newer ]] || return 0
  fi
  mkdir -p "$root/artifacts"
  exec 7>"$root/artifacts/.build.lock"
  flock 7
  say "${bold}Building${plain} ${1##*/}"
  printf %s "$key" >"$stamp.new"
  (trap end_compiler EXIT; compile "$1") >"$log" 2>&1 7>&- || status=$?
  if ((status)) && grep -q 'NU1[0-9]*.*[.]crossgen2[.]' "$log" && ! grep -q NU1301 "$log"; then
    say "  ${dim}The package feed lacks what compiles programs ahead, so they take longer to start.${plain}"
    status=0
    (trap end_compiler EXIT; compile "$1" -p:CompileAhead=false) >"$log" 2>&1 7>&- || status=$?
  fi
  if ((status)); then
    if grep -q NU1301 "$log"; then die "The package feed could not be reached: check the connection or the proxy, then start again (details: $log)."; fi
    grep -E 'error( [A-Z]+[0-9]+)? ?:' "$log" | sed "s#$plain_root/##g; s# \[[^]]*\]\$##" | sort -u \
      | awk 'NR <= 20 { print } END { if (NR > 20) print "... and " NR - 20 " more" }' >&2 || tail -n 20 "$log" >&2
    die "The build of ${1##*/} failed (details: $log)."
  fi
  mv -f "$stamp.new" "$stamp"
  flock -u 7
  say "  ${green}${live:+✓ }${plain}built in $((SECONDS - started)) s"
}

# ---- Tests ------------------------------------------------------------------------------------------------------

test_projects=(Unit Gateway Server Graph) # in the order in which they are run; the tests of this script follow

cmd_test() {
  (($# <= 1)) || die "test takes one word: a test project (${test_projects[*]} or Script), or a part of a test's name." 2
  local filter=${1:-} projects=("${test_projects[@]}" Script) results=$root/artifacts/test-results passed=0 failed=0 skipped=0 project
  for project in "${projects[@]}"; do
    if [[ $project == "$filter" ]]; then projects=("$project") filter=''; break; fi
  done
  setup_for "${projects[*]}"
  case ${projects[*]} in
    Script) ;; # needs nothing that is built
    *\ *) build Platform.sln ;;
    *) build "Tests/$project/${project}Tests.csproj" ;;
  esac
  rm -rf "$results"
  mkdir -p "$results"
  # Marks every process that the tests start, so that one that is left can be found.
  local mark; mark=$$-$(date +%s%N)
  # The tests of this script wait more than they compute, so they run beside the others and are shown after them.
  local script_tests=''
  if [[ ${projects[*]} == *\ Script && -x $root/Tests/Script/run ]]; then
    PLATFORM_TEST_RUN=$mark "$root/Tests/Script/run" ${filter:+"$filter"} </dev/null >"$results/Script.txt" 2>&1 &
    script_tests=$!
    trap 'kill "$script_tests" 2>/dev/null' EXIT
  fi
  for project in "${projects[@]}"; do
    say "${bold}Tests/$project${plain}"
    if [[ $project == Script ]]; then run_script_tests; else run_project "$project"; fi
  done
  check_leftovers "$mark" || ((failed += 1))
  name_failures
  ((passed + failed)) || say "${red}No test was executed${filter:+: no name contains $filter}.${plain}"
  say "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0 && passed > 0))
}

# Both add to the counts of cmd_test.
run_project() { # PROJECT
  local program report=$results/$1.xml arguments=(-noLogo -xml "$results/$1.xml" -trx "$results/$1.trx") status=0 counts=0 project_failed=0
  [[ -n $live ]] || arguments+=(-noColor)
  [[ -z $filter ]] || arguments+=(-method "*$filter*")
  [[ $1 != Graph ]] || arguments+=(-diagnostics) # how long the graph took to start
  program=$(output "${1}Tests" "Platform.Tests.$1") program=${program#"$root"/}
  start_tests "$program" "${arguments[@]}" || status=$?
  [[ ! -s $report ]] || read_counts "$report"
  # From 124 on it did not come to its end by itself.
  [[ -n $filter ]] || ((project_failed == 0 || status >= 124)) || try_again "$1"
  # A runner that fails without a failed test did not run to its end.
  if ((counts == 0)) || { ((status != 0)) && ((project_failed == 0)); }; then
    say "${red}Tests/$1 did not run to its end (exit code $status).${plain}"
    ((failed += 1))
  fi
}

# A method is compiled a second time after a thousand calls (0x400), not thirty: most servers of the tests live for seconds.
start_tests() { # PROGRAM ARGUMENT...
  PLATFORM_TEST_RUN=$mark plainly "${for_a_minute[@]}" DOTNET_TC_CallCountThreshold=400 \
    timeout -k 30 "${PLATFORM_TEST_TIMEOUT:-2400}" "$plain_root/$1" "${@:2}" </dev/null
}

# The tests of an xUnit report, which has no lines of its own, each at the beginning of one; an awk function for an attribute; the names of those that ended so.
each_test() { sed 's/<test /\n&/g' "$1"; } # REPORT
attribute_of='function of(name) { match($0, " " name "=\"[^\"]*\""); return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) } '
names_of() { each_test "$2" | awk "$attribute_of"'/^<test [^>]*result="'"$1"'"/ { print of("name") }' | sort; } # RESULT REPORT

# The tests of a project share the machine with hundreds of others and their processes. Up to three methods of it that failed are run once
# more, with nothing beside them. Those that pass then are unsteady: they do not fail the run, and the last lines name them with what they said.
try_again() { # PROJECT
  local methods method arguments=(-noLogo -noColor -xml "$results/$1.again.xml")
  mapfile -t methods < <(each_test "$report" | awk "$attribute_of"'/^<test [^>]*result="Fail"/ { print of("type") "." of("method") }' | sort -u)
  # An error that belongs to no test, as of a fixture, is no matter of chance.
  ((${#methods[@]} > 0 && ${#methods[@]} <= 3 && $(names_of Fail "$report" | wc -l) == project_failed)) || return 0
  for method in "${methods[@]}"; do arguments+=(-method "$method"); done
  say "${bold}Tests/$1${plain}, what failed once more"
  start_tests "$program" "${arguments[@]}" || return 0
  # Each by its name: beside the rows of its theory another may pass that did not fail before.
  [[ -z $(comm -23 <(names_of Fail "$report") <(names_of Pass "$results/$1.again.xml")) ]] || return 0
  ! grep -qE '<assembly [^>]*(failed|skipped|errors)="[1-9]' "$results/$1.again.xml" || return 0
  : >"$results/$1.unsteady"
  ((passed += project_failed, failed -= project_failed)) || true
  status=0
}

run_script_tests() {
  local status=0 p f s
  [[ -x $root/Tests/Script/run ]] || return 0
  if [[ -n $script_tests ]]; then
    wait "$script_tests" || status=$?
    trap - EXIT
    cat "$results/Script.txt"
  else
    PLATFORM_TEST_RUN=$mark "$root/Tests/Script/run" ${filter:+"$filter"} </dev/null | tee "$results/Script.txt" || status=$?
  fi
  p=$(grep -c '^ok ' "$results/Script.txt" || true) f=$(grep -c '^not ok ' "$results/Script.txt" || true)
  s=$(grep -c '^ok .*# SKIP' "$results/Script.txt" || true)
  ((passed += p - s, failed += f, skipped += s)) || true
  if ((status != 0 && f == 0)); then say "${red}Tests/Script did not run to its end (exit code $status).${plain}"; ((failed += 1)); fi
}

# Adds up the counts of an xUnit report's <assembly> elements.
read_counts() {
  local element value name
  while IFS= read -r element; do
    for name in passed failed skipped errors; do
      value=0; [[ ! $element =~ \ $name=\"([0-9]+)\" ]] || value=${BASH_REMATCH[1]}
      case $name in
        passed) ((passed += value)) || true ;;
        skipped) ((skipped += value)) || true ;;
        *) ((failed += value, project_failed += value)) || true ;;
      esac
    done
    counts=1
  done < <(grep -o '<assembly [^>]*>' "$1")
}

# The tests that failed, each with the first line of what it says: in the last lines, where a log that was cut short still has them.
name_failures() {
  local report again
  for report in "$results"/*.xml; do
    [[ -e $report && $report != *.again.xml ]] || continue
    again=''; [[ ! -e ${report%.xml}.unsteady ]] || again="unsteady, passed when it ran again: "
    each_test "$report" | awk -v again="$again" "$attribute_of"'
      /^<test / { name = "" }
      /^<test [^>]*result="Fail"/ { name = of("name"); sub(/^Platform[.]Tests[.]/, "", name) }
      name != "" && /<message>/ {
        message = $0; sub(/.*<message>(<!\[CDATA\[)?/, "", message); sub(/(\]\]>)?<\/message>.*/, "", message)
        print "  " again name ": " substr(message, 1, 300); name = ""
      }'
  done
  [[ ! -e $results/Script.txt ]] || sed -n 's/^not ok /  Script./p' "$results/Script.txt"
}

check_leftovers() { # MARK: servers of the last test may need a moment to end
  local left deadline=$((SECONDS + ${PLATFORM_LEFTOVER_TIMEOUT:-20}))
  while :; do
    mapfile -t left < <(grep -lzxF -- "PLATFORM_TEST_RUN=$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)
    ((${#left[@]})) || return 0
    ((SECONDS < deadline)) || break
    sleep 0.2
  done
  say "${red}The tests left processes behind:${plain}"
  for process in "${left[@]}"; do say "  $(name_of "$process")"; done
  kill -KILL "${left[@]}" 2>/dev/null || true
  return 1
}

