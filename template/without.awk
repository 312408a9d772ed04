# Writes a file as it is in an instance that lacks parts. First come the rules of the manifest, then the paths that the instance
# lacks, then the file. Variables: gone, a pattern of the parts that it lacks; file, its path.

FNR == 1 { input++ }

input == 1 {
  if ($1 == "file" && $2 ~ gone) lacks[$3] = 1
  if ($1 == "line" && $2 ~ gone && $3 == file) { pattern = $0; sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "", pattern); dropped[++patterns] = pattern }
  if ($1 == "text" && $2 ~ gone && $3 == file) {
    pattern = $0; sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "", pattern); at = index(pattern, " => ")
    before[++texts] = substr(pattern, 1, at - 1); after[texts] = substr(pattern, at + 4)
  }
  next
}
input == 2 {
  path = $0
  lacks[path] = 1
  next
}

# [part NAME] and [end of part] stand alone on their lines, in a comment.
/\[part [a-z]+\]/ { match($0, /\[part [a-z]+\]/); name = substr($0, RSTART + 6, RLENGTH - 7); out[++depth] = out[depth - 1] || name ~ gone; next }
/\[end of part\]/ { depth--; next }
out[depth] { next }
# Projects of a solution end on a line of their own.
{ for (i = 1; i <= patterns; i++) if ($0 ~ dropped[i]) { ending = /^Project\(/; next } }
ending { ending = 0; if (/^EndProject/) next }
{
  for (i = 1; i <= texts; i++) while (at = index($0, before[i])) $0 = substr($0, 1, at - 1) after[i] substr($0, at + length(before[i]))
}
file ~ /\.md$/ { unlink_lacking() }
{ print }

# A link to a page that the instance lacks becomes its words; in a row of links it goes.
function unlink_lacking(    rest, done, whole, words, target) {
  rest = $0; done = ""
  while (match(rest, /\[[^][]*\]\([^)( ]*\)/)) {
    whole = substr(rest, RSTART, RLENGTH)
    done = done substr(rest, 1, RSTART - 1); rest = substr(rest, RSTART + RLENGTH)
    words = whole; sub(/^\[/, "", words); sub(/\]\(.*/, "", words)
    target = whole; sub(/.*\]\(/, "", target); sub(/[#)].*/, "", target)
    if (!is_lacking(target)) { done = done whole; continue }
    if ($0 ~ /^\|/ && done ~ /\), $/) { sub(/, $/, "", done); continue }
    if ($0 ~ /^\|/ && done ~ /\| $/ && rest ~ /^, \[/) { sub(/^, /, "", rest); continue }
    if (done ~ / · $/) { sub(/ · $/, "", done); continue }
    if (done == "" && rest ~ /^ · /) { sub(/^ · /, "", rest); continue }
    done = done words
  }
  $0 = done rest
}

function is_lacking(target,    directory) {
  if (target == "" || target ~ /:/) return 0
  directory = file; if (!sub(/\/[^\/]*$/, "/", directory)) directory = ""
  target = directory target
  sub(/\/$/, "", target)
  while (sub(/[^\/]+\/\.\.\//, "", target)) { }
  if (target in lacks) return 1
  return 0
}
