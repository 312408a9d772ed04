# shellcheck shell=bash
# Part of ./platform: makes a template for 'dotnet new' of this repository. What differs is in template/; see docs/making-it-yours.md.
# shellcheck disable=SC2154 # variables of ./platform

export LC_ALL=C # one order for sort and comm
optional_parts=(backup monitoring)

# Names of namespaces and assemblies begin with this in the template, and with the instance's name in an instance.
template_name=TemplateName0 template_title=TemplateTitle0

cmd_template() {
  (($# <= 1)) || die "template takes one directory, or none for artifacts/template." 2
  need git "the template" "install git"
  local to=${1:-$root/artifacts/template} files rules combination gone entries=() part directory source
  [[ $to == /* ]] || to=$PWD/$to
  git -C "$root" rev-parse --is-inside-work-tree >/dev/null 2>&1 || die "$root is no git checkout, and a template is made of the files that git knows."
  [[ ! -e $to || -e $to/.template.config/template.json ]] || die "$to is there already and is no template: choose another directory."
  local final=$to
  to=$final.partial
  rm -rf "$to"
  mkdir -p "$to/.template.config" "$to/common"
  rules=$to/.template.config/rules
  sed -E 's/^ *#.*//; /^ *$/d' "$root/template/manifest" >"$rules"
  files=$(cd "$root" && git ls-files --cached --others --exclude-standard | while IFS= read -r file; do [[ ! -f $file ]] || printf '%s\n' "$file"; done)
  check_manifest

  # Everything that an instance may have, with names that are easy to find.
  kept never <<<"$files" | (cd "$root" && xargs -d '\n' cp --parents -dp -t "$to/common")
  cp -R "$root/template/files/." "$to/common"
  find "$to/common" -type f ! -name '*.png' -print0 | xargs -0 sed -Ei "$(names)"
  mv "$to/common/Platform.sln" "$to/common/$template_name.sln"
  sed -Ei "$(names)" "$rules" # which are about these files from here on

  # Which parts there are: a file that is the same in all instances stays in common/, the others have a directory for each combination.
  combination=''
  while read -r combination; do
    gone='never'
    for part in "${optional_parts[@]}"; do [[ ,$combination, == *",$part,"* ]] || gone+="|$part"; done
    directory=$to/with-${combination//,/-}
    instance "$gone" "$directory"
    entries+=("$combination")
  done < <(combinations)
  common_again "${entries[@]}"
  write_configuration "${entries[@]}"
  rm "$rules"
  rm -rf "$final"
  mv "$to" "$final"
  say "The template is in $final: 'dotnet new install $final', then 'dotnet new platform -n Contoso.Shop'."
}

# Every set of optional parts, 'none' for the empty one.
combinations() {
  local part sets=('') more set
  for part in "${optional_parts[@]}"; do
    more=()
    for set in "${sets[@]}"; do more+=("$set" "${set:+$set,}$part"); done
    sets=("${more[@]}")
  done
  for set in "${sets[@]}"; do printf '%s\n' "${set:-none}"; done
}

# The files, of those on standard input, that no rule of these parts names.
kept() { # PART|PART
  awk -v parts="^($1)\$" '
    FNR == NR { if ($2 ~ parts && $1 == "file") prefix[$3] = 1; next }
    { path = $0; out = 0
      do { if (path in prefix) out = 1 } while (sub(/\/[^\/]*$/, "", path))
      if (!out) print }' "$rules" -
}

# A rule that names nothing is out of date.
check_manifest() {
  local kind part path rest
  while read -r kind part path rest; do
    case $kind in
      file) grep -qE "^${path//./\\.}(/|\$)" <<<"$files" || die "template/manifest names $path, which is not there." ;;
      line) [[ -f $root/$path ]] && grep -qE -- "$rest" "$root/$path" || die "template/manifest names lines of $path that match '$rest', of which there are none." ;;
      text)
        [[ $rest == *' => '* ]] || die "template/manifest has a text of $path without ' => '."
        grep -qF -- "${rest%% => *}" "$root/$path" || die "template/manifest names the text '${rest%% => *}' of $path, which is not there." ;;
      *) die "template/manifest has a rule '$kind': there are file, line and text." ;;
    esac
    [[ " never ${optional_parts[*]} " == *" $part "* ]] || die "template/manifest names a part '$part' at $path."
  done <"$rules"
}

# What begins with the name of the namespaces, and nothing else that is called platform: settings, variables, the command.
names() {
  local first='(Api|AppHost|Audit|AuditTool|Backup|Benchmarks|BodyFaults|CacheTool|Caching|CollectionNames|Data|Gateway|Jobs|Migrator|MigrationWorker|Mongo|Monitor|Monitoring|Orders|SecurityTool|Seeder|ServiceDefaults|Shared|Tests|Wire)\b'
  cat <<SED
s/(^|[^A-Za-z.])Platform(\\.$first|\\.sln|\\.\\*|\\."|\\.[{\$<]|\\\\\\.|\\[\\.\\])/\\1$template_name\\2/g
s/(^|[^A-Za-z.])Platform(\\.$first|\\.sln|\\.\\*|\\."|\\.[{\$<]|\\\\\\.|\\[\\.\\])/\\1$template_name\\2/g
s/^(namespace|using|global using) Platform;/\\1 $template_name;/
s/(<RootNamespace>)Platform</\\1$template_name</
s/^# Platform\$/# $template_title/
s/"Platform API"/"$template_title API"/
s/(<title>)Platform</\\1$template_title</
SED
}

# Writes what instances without the parts GONE have otherwise than common/ into DIRECTORY.
instance() { # GONE DIRECTORY
  mkdir -p "$2"
  (cd "$to/common" && find . -type f | sed 's#^\./##') | sort >"$2.all"
  kept "${1#never}" <"$2.all" >"$2.kept" # what is never there was left out before
  local changing
  # Only these can change: pages, which have links, files with marks, and those that a rule names.
  { grep -E '\.md$' "$2.kept"; (cd "$to/common" && grep -rlE '\[part (backup|monitoring|never)\]' . | sed 's#^\./##'); awk '$1 != "file" { print $3 }' "$rules" ; } \
    | sort -u | comm -12 - "$2.kept" >"$2.changing"
  (cd "$to/common" && xargs -d '\n' cp --parents -dp -t "$2") <"$2.changing"
  { comm -23 "$2.all" "$2.kept"; sort <<<"$files" | comm -23 - "$2.all"; } >"$2.lacking"
  while IFS= read -r changing; do
    awk -v gone="^($1)\$" -v file="$changing" -f "$root/template/without.awk" "$rules" "$2.lacking" "$to/common/$changing" >"$2/$changing"
  done <"$2.changing"
  # What not every instance has is not common.
  comm -23 "$2.kept" "$2.changing" >"$2.unchanged"
}

# Leaves in common/ what all combinations have the same, and moves the rest to those that have it.
common_again() { # COMBINATION...
  local combination file same first=$to/with-${1//,/-}
  sort -u "$to"/with-*.all >"$to/other"
  in_all "$#" "$to"/with-*.unchanged | comm -23 "$to/other" - >"$to/other.new"
  while IFS= read -r file; do
    same=1
    for combination; do cmp -s "$first/$file" "$to/with-${combination//,/-}/$file" || { same=''; break; }; done
    [[ -z $same ]] || printf '%s\n' "$file"
  done < <(in_all "$#" "$to"/with-*.changing) >"$to/same"
  (cd "$first" && xargs -d '\n' cp --parents -dp -t "$to/common") <"$to/same"
  for combination; do
    combination=$to/with-${combination//,/-}
    (cd "$combination" && xargs -d '\n' rm -f) <"$to/same"
    comm -12 "$combination.unchanged" "$to/other.new" | (cd "$to/common" && xargs -d '\n' -r cp --parents -dp -t "$combination")
  done
  comm -23 "$to/other.new" "$to/same" | (cd "$to/common" && xargs -d '\n' rm -f)
  find "$to" -type d -empty -delete
  rm -f "$to"/with-*.* "$to"/other* "$to/same"
}
in_all() { sort "${@:2}" | uniq -c | awk -v all="$1" '$1 == all { print $2 }' | sort; } # COUNT FILE...: lines that all files have

# The hand-written part of the configuration, with the sources and the programs among the files.
write_configuration() { # COMBINATION...
  local combination part condition programs
  programs=$(cd "$to" && find common with-* -type f -perm -u+x -printf '%P\n' | sort -u | sed 's/.*/"&"/' | paste -sd,)
  {
    while IFS= read -r line; do
      case $line in
        *'"SOURCES"'*)
          printf '    { "source": "./common/", "target": "./", "exclude": [".template.config/**"], "copyOnly": ["**/*.png"] }'
          for combination; do
            condition=''
            for part in "${optional_parts[@]}"; do
              if [[ ,$combination, == *",$part,"* ]]; then condition+="${condition:+ && }$part"; else condition+="${condition:+ && }!$part"; fi
            done
            [[ -d $to/with-${combination//,/-} ]] || continue
            printf ',\n    { "source": "./with-%s/", "target": "./", "exclude": [".template.config/**"], "copyOnly": ["**/*.png"], "condition": "(%s)" }' "${combination//,/-}" "$condition"
          done
          printf '\n' ;;
        *) printf '%s\n' "${line//'"PROGRAMS"'/$programs}" ;;
      esac
    done <"$root/template/template.json"
  } >"$to/.template.config/template.json"
}
