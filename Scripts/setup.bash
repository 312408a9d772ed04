# shellcheck shell=bash
# Part of ./platform: installing what this machine lacks, and saying what that is.
# shellcheck disable=SC2154 # variables of ./platform

# ---- Steps ------------------------------------------------------------------------------------------------------

reason_file='' job='' job_started=0 log_start=0
# Inside a step: ends it with the sentence that the user will read.
fail() { printf '%s\n' "$1" >"$reason_file"; exit 1; }

# step LABEL COMMAND...: runs COMMAND with its output in the log while the seconds count; ends the script if it fails.
step() {
  local label=$1 shown=0 elapsed status=0 where="(details: $setup_log)"
  shift
  printf '\n== %(%F %T)T %s\n' -1 "$label" >>"$setup_log"
  log_start=$(stat -c %s "$setup_log")
  reason_file=$(mktemp) job_started=$SECONDS
  [[ -n $live ]] || say "  $label ..."
  # Job control puts the step into a process group of its own, which an interrupt ends as a whole.
  set -m
  ( trap - EXIT INT TERM HUP; "$@" ) >>"$setup_log" 2>&1 </dev/null &
  job=$!
  set +m
  trap 'interrupted' INT TERM HUP
  while kill -0 "$job" 2>/dev/null; do
    elapsed=$((SECONDS - job_started))
    if [[ -n $live ]]; then printf '\r  %s%s ... %d s%s ' "$dim" "$label" "$elapsed" "$plain"
    elif ((elapsed >= shown + 30)); then shown=$elapsed; say "  $label ... $elapsed s"; fi
    sleep 0.2
  done
  wait "$job" || status=$?
  trap - INT TERM HUP
  job=
  local reason; reason=$(<"$reason_file")
  rm -f "$reason_file"
  [[ -z $live ]] || printf '\r\e[K'
  if ((status == 0)); then
    say "  ${green}${live:+✓ }${plain}$label: $((SECONDS - job_started)) s"
    return
  fi
  say "  ${red}${live:+✗ }${plain}$label: failed after $((SECONDS - job_started)) s"
  local tail; tail=$(tail -c "+$((log_start + 1))" "$setup_log")
  if grep -qE 'No space left|ENOSPC|Disk quota' <<<"$tail"; then
    die "The disk became full while making the $label: free some space below $cache, then start again $where."
  elif [[ -z $reason ]] && grep -qE "$network_trouble" <<<"$tail"; then
    die "The network could not be reached while making the $label: check the connection or the proxy, then start again $where."
  fi
  die "${reason:-The $label could not be made} $where."
}
network_trouble='NU1301|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|Could not resolve [^S]|Temporary failure resolving'
network_trouble+='|Unable to connect|Could not connect|Connection refused|Connection timed out|Network is unreachable|Failed to fetch'

interrupted() {
  trap - INT TERM HUP
  [[ -z $job ]] || { kill -TERM -- "-$job" 2>/dev/null; wait "$job" 2>/dev/null; } || true
  rm -f "$reason_file"
  printf '\n' >&2
  die "Interrupted; what was half done will be done anew." 130
}

# ---- Setup ------------------------------------------------------------------------------------------------------

last_profile_file=$cache/package-profile # what the feed had when it answered last, to any checkout
remember_profile() {
  printf '<Project><PropertyGroup><PackageProfile>%s</PackageProfile></PropertyGroup></Project>\n' "$1" >"$profile_file.new"
  mv -f "$profile_file.new" "$profile_file"
}

# The feed has the official packages if a project that names all of them, and their SDK, restores.
probe_profile() {
  local probe=$root/.platform/probe version sdk log
  version=$(sed -n 's/.*<AspireVersion>\(.*\)<.*/\1/p' "$root/Directory.Packages.props")
  sdk=$(sed -n 's/.*Sdk="\(Aspire[^"]*\)".*/\1/p' "$root/AppHost/AppHost.csproj")
  rm -rf "$probe"
  mkdir -p "$probe"
  for file in Directory.Build.props Directory.Build.targets Directory.Packages.props; do say '<Project/>' >"$probe/$file"; done
  {
    say "<Project Sdk=\"$sdk\"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup>"
    sed -n 's/.*PackageVersion Include="\(Aspire\.[^"]*\)".*/<PackageReference Include="\1" Version="'"$version"'" \/>/p' "$root/Directory.Packages.props"
    say '</ItemGroup></Project>'
  } >"$probe/Probe.csproj"
  if log=$(plainly dotnet restore "$plain_root/.platform/probe/Probe.csproj" --nologo -nodeReuse:false 2>&1); then
    remember_profile nuget
  else
    say "$log"
    # A feed that does not answer says nothing about what it has; what it said to another checkout still holds.
    if grep -qE "$network_trouble" <<<"$log"; then
      [[ -s $last_profile_file ]] \
        || fail "The package feed could not be reached: check the connection or the proxy, or choose with './platform setup --profile nuget|offline'"
      remember_profile "$(<"$last_profile_file")"
    else
      grep -qE 'NU1101|NU1102|NU1103|Unable to find package|MSB4236' <<<"$log" || fail "The probe of the package feed ended without an answer"
      remember_profile offline
    fi
  fi
  profile >"$last_profile_file"
  rm -rf "$probe"
}

# The engine that the AppHost will take, into 'engine'; for 'auto' it asks the machine the same questions.
engine=''
find_engine() {
  engine=${Platform__Engine:-auto}
  engine=${engine,,}
  [[ $engine == auto ]] || return 0
  if runs_containers; then engine=containers
  elif have mongod && have mongosh; then engine=mongod
  else engine=documentdb; fi
}
# As the AppHost asks (ContainerRuntime.cs): for as long, and only for the runtime that Aspire is told to use.
runs_containers() {
  local wanted=${ASPIRE_CONTAINER_RUNTIME:-${DOTNET_ASPIRE_CONTAINER_RUNTIME:-}}
  wanted=${wanted,,}
  { [[ ${wanted:-docker} == docker ]] && have docker && timeout 15 docker version >/dev/null 2>&1; } \
    || { [[ ${wanted:-podman} == podman ]] && have podman && timeout 15 podman info >/dev/null 2>&1; }
}
needs_image() { find_engine; [[ $engine == @(mongod|documentdb) ]]; }

has_part() { # PART: whether it is asked for
  local asked=${Platform__Parts:-}
  asked=,${asked,,},
  [[ ${asked//[[:space:]]/} == @(,all,|*,"$1",*) ]]
}

as_root=()
# become_root COMMAND [INSTEAD]: fills as_root with the prefix of COMMAND, which needs root, and says what it is; where root
# cannot be had, says what an administrator can run once: INSTEAD, or the same
become_root() {
  as_root=()
  ((EUID != 0)) || return 0
  if have sudo && { sudo -n true 2>/dev/null || { [[ -t 0 && -t 1 ]] && say "  ${dim}Root is needed for: $1${plain}" && sudo -v; }; }; then
    as_root=(sudo)
    return
  fi
  die "Root is needed once: run 'sudo ${2:-$1}', then start again."
}

# Whether mmdebstrap can give files to other users than the caller, which takes a range of subordinate ids
# (https://manpages.debian.org/subuid) and the programs that map them.
may_map_users() {
  have newuidmap && have newgidmap && have unshare || return 1
  local file name
  name=$(id -un)
  for file in /etc/subuid /etc/subgid; do grep -qE "^($name|$EUID):[0-9]+:[0-9]{5,}" "$file" 2>/dev/null || return 1; done
  unshare --user --map-auto --map-root-user true 2>/dev/null
}

install_packages() {
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120)
  # The package lists are fetched only if they are missing or too old to find the packages.
  "${apt[@]}" install -y --no-install-recommends "$@" || { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; }
}

# publish LINK ENTRY: lets the cache's name LINK mean ENTRY, in one step
publish() {
  ln -sfnT "$2" "$cache/$1.new"
  [[ -L $cache/$1 || ! -e $cache/$1 ]] || rm -rf "${cache:?}/$1"
  mv -fT "$cache/$1.new" "$cache/$1"
}
is_published() { [[ $(readlink "$cache/$1") == "$2" && -d $cache/$2 ]]; } # LINK ENTRY

image_entry() { # IMAGE
  local hash; hash=$(sha256sum <<<"$image_suite ${image_packages[$1]} $image_recipe")
  printf 'store/%s-%.12s' "$1" "$hash"
}
image_is_made() { is_published "$1" "$(image_entry "$1")"; } # IMAGE
image_title() { printf '%s image' "${1%-image}"; } # IMAGE
node_tools_entry() {
  local hash; hash=$(sha256sum <"$node_tools_source/package-lock.json")
  printf 'store/node-tools-%.12s' "$hash"
}

# npm's own patience would hide a missing network for minutes.
npm_options=(--loglevel=error --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=4000)

make_image() { # IMAGE
  local image=$1 entry work mirror='' proxy='' options=()
  entry=$(image_entry "$image") work=$cache/$entry.partial
  local mode=auto
  ((EUID == 0 || ${#as_root[@]})) || mode=unshare
  "${as_root[@]}" rm -rf --one-file-system "$work"
  mkdir -p "$work/root" "$work/tmp"
  # Debian machines already know a mirror that they reach; others get mmdebstrap's own.
  if [[ -n ${PLATFORM_IMAGE_MIRROR:-} ]]; then mirror=$PLATFORM_IMAGE_MIRROR
  elif grep -qsx 'ID=debian' /etc/os-release; then
    mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null || true; } \
      | sed -nE '/^(URIs:|deb )/ s#.*[[:space:]](https?://[^[:space:]]+/debian/?)([[:space:]].*)?$#\1#p' | head -n1)
  fi
  [[ -z $mirror ]] || options+=("$mirror")
  proxy=$(apt-config shell proxy Acquire::http::Proxy | sed -n "s/^proxy='\(.*\)'$/\1/p")
  [[ -z $proxy ]] || options=(--aptopt="Acquire::http::Proxy \"$proxy\"" "${options[@]}")
  # The tree goes through tar so that it belongs to the calling user, whoever built it; devices come from bubblewrap.
  # Without root the tree belongs to other users than the caller while it is made, who must be able to reach it: a home often lets nobody in.
  local scratch=$work/tmp; [[ $mode != unshare ]] || scratch=/var/tmp
  "${as_root[@]}" env TMPDIR="$scratch" LC_ALL=C.UTF-8 mmdebstrap --mode=$mode --variant=apt --format=tar --include="${image_packages[$image]}" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    "$image_suite" - "${options[@]}" \
    | tar -x -C "$work/root" --no-same-owner --exclude='./dev/*'
  mkdir -p "$work/root/mnt" "$work/root/run"
  # What the machine's own are mounted on.
  touch "$work/root/etc/hosts" "$work/root/etc/resolv.conf"
  "check_$image" "$work/root" || fail "The $(image_title "$image") was made, but its programs do not run: './platform doctor' says what this machine lacks"
  other_versions "$image" "$work/root"
  ((${#others[@]} == 0)) || printf "Recorded otherwise in Scripts/$image.versions: %s\\n" "${others[@]}"
  [[ ${PLATFORM_IMAGE_VERSIONS:-any} != recorded ]] || ((${#others[@]} == 0)) \
    || fail "The mirror has other versions than those recorded in Scripts/$image.versions (${#others[@]} packages, first ${others[0]})"
  rm -rf "${cache:?}/$entry"
  mv -T "$work/root" "$cache/$entry"
  "${as_root[@]}" rm -rf --one-file-system "$work"
  publish "$image" "$entry"
}

# The packages of an image, NAME VERSION a line, in the order of their names.
image_versions() { # ROOT
  awk '/^Package: / { name = $2 } /^Status: / { installed = $NF == "installed" } /^Version: / { version = $2 } /^$/ { if (installed) print name, version; installed = 0 }
    END { if (installed) print name, version }' "$1/var/lib/dpkg/status" | LC_ALL=C sort
}

# Fills 'others' with what an image has otherwise than recorded; other processors' packages are not recorded.
others=()
other_versions() { # IMAGE ROOT
  local recorded=$root/Scripts/$1.versions
  others=()
  [[ -e $2/var/lib/dpkg/arch-native && -e $recorded && $(<"$2/var/lib/dpkg/arch-native") == $(sed -n 's/^# Architecture: //p' "$recorded") ]] || return 0
  mapfile -t others < <(awk '
    /^#/ { next }
    FNR == NR { was[$1] = $2; next }
    !($1 in was) { print $1 " " $2 " (not recorded)" }
    $1 in was { if (was[$1] != $2) print $1 " " $2 " (recorded: " was[$1] ")"; delete was[$1] }
    END { for (name in was) print name " is missing (recorded: " was[name] ")" }' "$recorded" <(image_versions "$2") | LC_ALL=C sort)
}

record_versions() {
  local image made=''
  for image in "${!image_packages[@]}"; do
    [[ -e $cache/$image/var/lib/dpkg/status ]] || continue
    made=1
    {
      say "# The Debian packages of the $(image_title "$image") ($image_suite, made of ${image_packages[$image]}), written by './platform setup --record'."
      say "# Architecture: $(<"$cache/$image/var/lib/dpkg/arch-native")"
      image_versions "$cache/$image"
    } >"$root/Scripts/$image.versions.new"
    mv -f "$root/Scripts/$image.versions.new" "$root/Scripts/$image.versions"
  done
  [[ -n $made ]] || die "There is no image whose versions could be recorded: the engine here does not need one."
}

# Whether what is needed of an image runs.
check_server-image() { # ROOT
  "$root/Hosting/Native/in-image" "$1" postgres TERM -- /usr/lib/postgresql/18/bin/postgres --version \
    && "$root/Hosting/Native/in-image" "$1" postgres TERM -- /usr/bin/pgbackrest version \
    && "$root/Hosting/Native/in-image" "$1" redis TERM -- /usr/bin/redis-server --version \
    && "$root/Hosting/Native/in-image" "$1" postgres TERM -- /usr/bin/gocryptfs -version
}
# [part monitoring]
check_monitoring-image() { # ROOT
  local program
  for program in prometheus promtool prometheus-alertmanager amtool; do "$root/Hosting/Native/in-image" "$1" prometheus TERM -- "/usr/bin/$program" --version || return; done
}
# [end of part]

make_node_tools() {
  local entry work
  entry=$(node_tools_entry) work=$cache/$entry.partial
  rm -rf "$work" "${cache:?}/$entry"
  mkdir -p "$work"
  cp "$node_tools_source/package.json" "$node_tools_source/package-lock.json" "$work"
  cd "$work" || exit
  # What packages would compile (Kerberos, encryption, the names of hosts) no test uses, and it is half of the time.
  npm ci --ignore-scripts --omit=optional --no-audit --no-fund "${npm_options[@]}"
  mv -T "$work" "$cache/$entry"
  publish node-tools "$entry"
}

# setup_for WHAT...: everything that these need and that is not there yet
setup_for() {
  local what=$1 forced=${2:-} todo=() megabytes=0 missing=()
  need dotnet "everything here" "install the .NET SDK 10"
  [[ -n ${sdk_found:=$(cd "$root" && dotnet --version 2>/dev/null)} ]] \
    || die "The .NET SDK that is installed is not the one that global.json asks for: install the .NET SDK 10."
  [[ -n $forced || -n $(profile) ]] || todo+=(profile)
  [[ -z $forced ]] || remember_profile "$forced"

  if [[ -n $(profile) ]] && find_lacking "$what" && ((${#lacking[@]} == 0)); then return; fi

  { mkdir -p "$cache/log" "$cache/store" && : >>"$cache/setup.lock"; } 2>/dev/null \
    || die "The cache directory $cache cannot be written: set PLATFORM_CACHE to another one."
  exec 8>"$cache/setup.lock"
  if ! flock -n 8; then
    say "Another setup is at work; waiting for it."
    flock 8
  fi
  say "${bold}Setting up${plain} ${dim}(once; kept in $cache)${plain}"
  : >"$setup_log"
  if ((${#todo[@]})); then
    step "package profile" probe_profile
    if [[ $(profile) == nuget ]]; then say "    the feed has the official Aspire packages"
    else say "    the feed lacks some of the Aspire packages: the stand-ins in Offline/ replace these"; fi
  fi

  find_lacking "$what" # again: another setup may have made them meanwhile
  for part in "${lacking[@]}"; do
    case $part in
      browser) need apt-get "the browser of the tests" "install chromium" ;;
      dictionary) need apt-get "the dictionary of the tests" "install wbritish" ;;
      *-image)
        need apt-get "the $(image_title "$part")" "use Debian or Ubuntu, or a container engine (docs/engines.md)"
        have mmdebstrap || missing+=(mmdebstrap)
        have bwrap || missing+=(bubblewrap)
        ((EUID == 0)) || have newuidmap || missing+=(uidmap)
        [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
        ((megabytes += image_disk[$part])) ;;
      node_tools) need npm "a test against other MongoDB clients" "install Node.js 20 or later"; ((megabytes += node_tools_disk)) ;;
    esac
  done
  ((megabytes == 0)) || need_space "$cache" "$megabytes" "Setting up"
  if ((${#missing[@]})); then
    become_root "apt-get install ${missing[*]}"
    step "Debian packages (${missing[*]})" install_packages "${missing[@]}"
  fi
  for part in "${lacking[@]}"; do
    case $part in
      browser) become_root "apt-get install chromium"; step "Debian packages (chromium)" install_packages chromium ;;
      dictionary) become_root "apt-get install wbritish"; step "Debian packages (wbritish)" install_packages wbritish ;;
      *-image)
        image_is_made "$part" && continue
        as_root=()
        ((EUID == 0)) || may_map_users || become_root mmdebstrap "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
        step "$(image_title "$part") (${image_packages[$part]//,/, })" make_image "$part" ;;
      node_tools) step "test clients (mongosh, Node.js driver, Mongoose, mingo)" make_node_tools ;;
    esac
  done
  flock -u 8
}

# What each of 'run' and the test projects needs besides the .NET SDK.
lacking=()
find_lacking() { # WHAT...
  lacking=()
  local image monitoring='' browser_needed='' dictionary_needed='' tools='' images=()
  for what in $1; do
    case $what in
      run)
        ! needs_image || images+=(server-image)
        ! has_part monitoring || monitoring=1
        ;;
      # The stand-in of MongoDB, whatever engine the stack would use; a server that is given needs none.
      Server) [[ -n ${PLATFORM_TEST_MONGO:-} ]] || images+=(server-image); tools=1 ;;
      Gateway | bench) images+=(server-image) tools=1 ;;
      # The tests look at the dashboard in a browser, and at the rules of the alerts with Prometheus' tools; where there is no apt they
      # say that they did not.
      Graph) ! needs_image || images+=(server-image); tools=1 browser_needed=1
        ! have apt-get || monitoring=1
        ;;
      Unit)
        dictionary_needed=1
        ! have apt-get || monitoring=1
        ;;
    esac
  done
  [[ -z $monitoring ]] || images+=(monitoring-image)
  for image in "${images[@]}"; do
    [[ " ${lacking[*]} " == *" $image "* ]] || { image_is_made "$image" && have bwrap; } || lacking+=("$image")
  done
  [[ -z $browser_needed || -x $browser ]] || ! have apt-get || lacking+=(browser)
  [[ -z $dictionary_needed || -e $dictionary ]] || ! have apt-get || lacking+=(dictionary)
  [[ -z $tools || ! -e $node_tools_source/package-lock.json ]] || is_published node-tools "$(node_tools_entry)" || lacking+=(node_tools)
}

cmd_setup() {
  local forced='' record=''
  while (($#)); do
    case $1 in
      --record) record=1 ;;
      --again) rm -f "$profile_file" ;;
      --with) [[ -n ${2:-} ]] || die "--with needs the names of parts, separated by commas: backup, monitoring, all." 2; Platform__Parts=$2; shift ;;
      --profile) [[ ${2:-} =~ ^(nuget|offline)$ ]] || die "--profile takes nuget or offline." 2; forced=$2; shift ;;
      *) die "setup does not know '$1': it takes --again, --profile nuget|offline, --with PARTS and --record." 2 ;;
    esac
    shift
  done
  setup_for run "$forced"
  [[ -z $record ]] || record_versions
  say "Everything is set up (package profile: $(profile))."
}

# ---- Doctor -----------------------------------------------------------------------------------------------------

doctor_missing=0
row() { # ok|missing|note NAME FOUND [HOW TO GET IT]
  local colour=$green mark=ok
  case $1 in missing) colour=$red mark=missing; doctor_missing=1 ;; note) colour=$dim mark=- ;; esac
  printf '  %s%-8s%s %-18s %s%s\n' "$colour" "$mark" "$plain" "$2" "$3" "${4:+ ${yellow}-> $4${plain}}"
}
tool() { # needed|optional PROGRAM HOW TO GET IT
  local status=missing
  [[ $1 == needed ]] || status=note
  if have "$2"; then row ok "$2" "$("$2" --version 2>/dev/null | head -n1)"; else row "$status" "$2" "not found" "$3"; fi
}

limit() { # NAME VALUE LEAST HOW TO RAISE IT
  if [[ $2 == unlimited || -z $2 ]] || (($2 >= $3)); then row ok "$1" "${2:-not limited}"; else row missing "$1" "only $2 for each user or process" "$4"; fi
}

image_row() { # IMAGE missing|note HOW TO GET IT
  if image_is_made "$1"; then
    row ok "$(image_title "$1")" "${image_packages[$1]}"
    other_versions "$1" "$cache/$1"
    if ((${#others[@]})); then row note "image's versions" "${#others[@]} packages are not as recorded, first ${others[0]}" "Scripts/$1.versions"
    else row ok "image's versions" "as recorded in Scripts/$1.versions"; fi
  else row "$2" "$(image_title "$1")" "not made, or out of date" "$3"; fi
}

# Needed where it is asked for alone.
encryption_row() {
  local why asked=${Platform__EncryptAtRest:-}
  if [[ $engine == mongod ]] || ! image_is_made server-image || ! have bwrap; then return; fi
  if why=$("$root/Hosting/Native/can-encrypt" "$cache/server-image"); then row ok "encryption at rest" "can be done here"
  elif [[ ${asked,,} == true ]]; then row missing "encryption at rest" "$why"
  else row note "encryption at rest" "not here: $why"; fi
}

cmd_doctor() {
  local sdk chosen=", chosen by auto" free
  [[ ${Platform__Engine:-auto} == [Aa][Uu][Tt][Oo] ]] || chosen=", asked for by Platform__Engine"
  if have dotnet && sdk=$(cd "$root" && dotnet --version 2>/dev/null); then row ok ".NET SDK" "$sdk"
  else row missing ".NET SDK" "no SDK that global.json accepts" "install the .NET SDK 10"; fi
  case $(profile) in
    nuget) row ok "package profile" "nuget: the official Aspire packages" ;;
    offline) row ok "package profile" "offline: stand-ins for the Aspire packages that the feed lacks" ;;
    *) row note "package profile" "not known yet" "./platform setup finds out" ;;
  esac
  tool optional node "install Node.js 20 or later, for the tests"
  tool optional npm "install Node.js 20 or later, for the tests"
  if needs_image; then
    row note "engine" "$engine$chosen"
    tool needed apt-get "use Debian or Ubuntu, or a container engine"
    tool needed mmdebstrap "./platform setup installs it"
    tool needed bwrap "./platform setup installs it (package bubblewrap)"
    if ! have bwrap; then row note "user namespaces" "not tried: bubblewrap is missing"
    elif bwrap --unshare-user --uid 1000 --ro-bind / / true 2>/dev/null; then row ok "user namespaces" "work"
    else row missing "user namespaces" "this kernel does not let users make them" "allow them (kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0)"; fi
    image_row server-image missing "./platform setup makes it"
    encryption_row
  else row note "engine" "$engine$chosen"; fi
  # [part monitoring]
  if has_part monitoring; then image_row monitoring-image missing "./platform setup makes it"
  else image_row monitoring-image note "./platform setup --with monitoring makes it"; fi
  # [end of part]
  # .NET watches files with inotify instances and dcp with open files; a desktop's programs use most of what a user has.
  limit "inotify instances" "$(cat /proc/sys/fs/inotify/max_user_instances 2>/dev/null)" 128 "sudo sysctl fs.inotify.max_user_instances=512"
  limit "open files" "$(ulimit -n)" 1024 "ulimit -n 4096"
  free=$(free_space "$cache")
  if ((free >= image_disk[server-image])); then row ok "disk for the cache" "$free MiB free at $cache"
  else row missing "disk for the cache" "$free MiB free at $cache" "free ${image_disk[server-image]} MiB, or set PLATFORM_CACHE"; fi
  free=$(free_space "$root/.platform/data")
  if ((free >= data_disk)); then row ok "disk for data" "$free MiB free"; else row missing "disk for data" "$free MiB free" "free $data_disk MiB"; fi
  if is_running; then row ok "stack" "${stack[state]:-} (process ${stack[pid]})"
  else
    row note "stack" "not running"
    if [[ -s $run_dir/problem ]]; then row note "last start" "$(<"$run_dir/problem")" "see .platform/run: apphost.log, logs/ and the orchestrator's dcp/"; fi
    local variable usual
    for entry in "PLATFORM_DASHBOARD_PORT $usual_dashboard_port" "PLATFORM_API_PORT $usual_api_port"; do
      read -r variable usual <<<"$entry"
      if ! port_taken "${!variable:-$usual}"; then row ok "port ${!variable:-$usual}" "free"
      elif [[ -n ${!variable:-} ]]; then row missing "port ${!variable}" "taken$holder" "end that program or set $variable to a free port"
      else row note "port $usual" "taken$holder; a free one will be used"; fi
    done
  fi
  ((doctor_missing == 0)) || die "Something that is needed is missing."
}

