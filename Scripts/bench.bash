# shellcheck shell=bash
# Part of ./platform: measuring. Reads Scripts/setup.bash and Scripts/test.bash before.
# shellcheck disable=SC2154 # variables of ./platform

benchmarks=(startup connections spike indexes search seed gateway api tokens cache orders changes migrations migration-lock transforms backup monitoring failover sharding security at-rest)

cmd_bench() {
  [[ $# -ge 1 && " ${benchmarks[*]} " == *" $1 "* && ($# == 1 || "$*" =~ ^gateway\ (--soak|--model(\ [1-9][0-9]*)?|--fuzz\ [0-9]+[smh](\ [0-9]+)?)$) || "$*" =~ ^http\ --fuzz(\ [1-9][0-9]*){0,2}$ ]] ||
    die "bench takes the name of a benchmark: ${benchmarks[*]}; of the gateway there are also 'gateway --soak' (10 minutes), 'gateway --fuzz DURATION [SEED]' (as 90s, 10m, 1h) and 'gateway --model [SEQUENCES]', of the API there is 'http --fuzz [REQUESTS [SEED]]'." 2
  setup_for bench # the server image and the Node.js driver, which is the peer
  # What is slow in Debug says nothing about what is slow.
  configuration=Release
  build Tests/Benchmarks/Benchmarks.csproj
  [[ $1 != startup ]] || build AppHost/AppHost.csproj
  say "${bold}Benchmark${plain} $* (load average $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors)"
  local program; program=$(output Benchmarks Platform.Benchmarks)
  plainly "$plain_root${program#"$root"}" "$@"
}
