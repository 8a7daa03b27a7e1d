# shellcheck shell=sh
# The launcher where no Node fits: it hands the wish to a companion, a Breakwater in another container, or says in one
# line what to do on this system, or installs Node. Read by breakwater.sh, which sets what is not set here.
# Every way out towards Stash is one JSON document and exit code 0. What goes to a companion has no secret in it.
# shellcheck disable=SC2154

# One that is cut off here is no JSON, and whoever reads it says so.
max_document=1000000
take_up_seconds=30
look_seconds=5
max_seconds=86400

no_node() {
  is_stash=yes
  case ${1-} in
    '' | --plugin-dir=* | install-node) [ ! -t 0 ] || is_stash=no ;;
    *) is_stash=no ;;
  esac
  doc=
  [ "$is_stash" = no ] || doc=$(head -c $max_document)
  dir=$(config_dir)
  [ -z "$data$dir" ] || data=${data:-$dir/breakwater}
  [ "${1-}" != install-node ] || install_node
  [ "$is_stash" = yes ] || fail "$(needed)"
  # Only the document says where this file is. For a longer document dash keeps a process that writes it, and bash a
  # file without a name.
  named_in "$data"
  fits "$line" && exec "$line" "$here/breakwater.cjs" "$@" <<DOCUMENT
$doc
DOCUMENT
  [ -z "$data" ] || ! is_alive || hand_over
  case $doc in *'"mode":"wake"'*) once_an_hour ;; esac
  fail "$(needed)"
}

# ---- the document of Stash ----

# `Dir`, the folder of Stash's config.yml. A control character, which no JSON holds, marks where it begins.
config_dir() {
  mark=$(printf '\001')
  printf '%s\n' "$doc" | LC_ALL=C sed -E \
    -e "s/\"Dir\":\"/$mark/" -e "/$mark/!d" \
    -e "s/^[^$mark]*$mark(([^\"\\\\]|\\\\.)*)\".*/\\1/" -e "/$mark/d" \
    -e "s/\\\\\\\\/$mark/g" \
    -e 's/\\u0026/\&/g' -e 's/\\u003c/</g' -e 's/\\u003e/>/g' -e 's/\\(.)/\1/g' -e "s/$mark/\\\\/g" -e q
}

# ---- a companion in another container ----

# BSD's `find` rounds up: less than two of its minutes is at most one of ours.
is_alive() { [ -n "$(find "$data/companion/alive" -mmin -2 2>/dev/null)" ]; }

# The wish is wish-ID.json, there by a rename. The companion takes it by renaming it to wish-ID.taken, appends lines of
# Stash's log protocol to wish-ID.log, and puts one JSON document at wish-ID.out, by a rename as well. If wish-ID.taken
# has gone, nobody waits for the answer any more. All files are removed here, but for those of a killed launcher.
hand_over() {
  wish=$data/companion/wish-$$-$(date +%s)
  umask 077
  # No cookie or key on a disk: the companion has a way of its own to ask Stash.
  doc=$(printf '%s\n' "$doc" |
    LC_ALL=C sed -E 's/"(SessionCookie|session)":\{("([^"\\]|\\.)*"|[^"}])*\}/"\1":null/g')
  case $(printf '%s\n' "$doc" | LC_ALL=C sed -E 's/"(SessionCookie|session)":null//g') in
    *'"SessionCookie"'* | *'"session"'*)
      fail 'The session in the document of Stash has an unknown shape: it was not handed on' ;;
  esac
  {
    true >"$wish.log" && printf '%s\n' "$doc" >"$wish.tmp" && mv "$wish.tmp" "$wish.json"
  } 2>/dev/null || give_up "Cannot write to $data/companion, where a companion of Breakwater waits for wishes"
  await_answer 3<"$wish.log"
}

# Copies the lines of the companion's log as they come, and its answer when it is there.
await_answer() {
  pause=0.2 per_second=5 polls=0
  sleep 0.2 2>/dev/null || pause=1 per_second=1
  until [ -f "$wish.out" ]; do
    cat <&3 >&2
    polls=$((polls + 1))
    seconds=$((polls / per_second))
    # A rename, so that it is either taken or withdrawn.
    if [ $seconds -ge $take_up_seconds ] && [ -f "$wish.json" ] && mv "$wish.json" "$wish.tmp" 2>/dev/null; then
      give_up "The companion of Breakwater did not take this up within $take_up_seconds s: nothing was done"
    fi
    [ $seconds -lt $max_seconds ] || give_up 'The companion of Breakwater has been at this for a day: see its own log'
    if [ $((polls % (look_seconds * per_second))) = 0 ] && ! is_alive; then
      give_up 'The companion of Breakwater fell silent: its own log says whether this was done'
    fi
    sleep $pause
  done
  cat <&3 >&2
  cat "$wish.out"
  rm -f "$wish".*
  exit 0
}

give_up() {
  rm -f "$wish".*
  fail "$1"
}

# ---- what to do on this system ----

# Sets `how`, a command that installs Node, or nothing; `advice`, what a person can do; `otherwise`, what to do where
# that is too old.
look_around() {
  how=
  otherwise="unpack Node from https://nodejs.org and write the path of its program into ${data:-$here}/node-path"
  advice=$otherwise
  if command -v apk >/dev/null; then
    how='apk add --no-cache nodejs'
    advice=$how
    otherwise='use an image with a newer Alpine'
  elif command -v apt-get >/dev/null; then
    how='apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs'
    case $(cat "$root/etc/os-release" 2>/dev/null) in
      *=bullseye* | *=bookworm* | *=focal* | *=jammy* | *=noble*)
        advice="the nodejs of this release is too old, so $advice" ;;
      *) advice='apt-get update && apt-get install nodejs' ;;
    esac
  elif [ -e "$root/etc/synoinfo.conf" ]; then
    advice='install Node.js v20 or newer from the Package Center'
  elif [ -e "$root/etc/unraid-version" ]; then
    # Its system lives in memory, and each start lays it anew.
    advice="unpack Node from https://nodejs.org below /mnt/user/appdata and write the path of its program into ${data:-$here}/node-path"
  elif [ "$(uname)" = Darwin ]; then
    advice='brew install node'
  fi
}

needed() {
  look_around
  found='there is none here'
  if [ -n "$old" ]; then
    found="this is $old"
    [ -z "$how" ] || advice="$advice; where that is too old, $otherwise"
  fi
  more=
  ! in_container || more='. In a container: run the task "Install Node here", or let a companion do the work (README)'
  printf 'Breakwater needs Node 20.19 or newer, and %s: %s%s' "$found" "$advice" "$more"
}

in_container() { [ -e "$root/.dockerenv" ] || [ -e "$root/run/.containerenv" ]; }

# A wake comes every few seconds; a person wants to read this once.
once_an_hour() {
  stamp=$data/node-missing
  [ -d "$data" ] || stamp=$here/node-missing
  [ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ] ||
    answer output 'Breakwater found no Node that fits; the log said so within the last hour'
  { true >"$stamp"; } 2>/dev/null
}

install_node() {
  ! find_node || answer output "Node $version is here already, at $(command -v "$node"): nothing was installed"
  look_around
  [ -n "$how" ] || fail "This task knows apk and apt-get, and neither is here: $advice"
  [ "$(id -u)" = 0 ] || fail "Stash does not run as root, so this task cannot install Node. As root: $advice"
  tell i "This runs now: $how"
  prefix=
  [ "$is_stash" = no ] || prefix=$(printf '\001d\002')
  code=$({
    {
      eval "$how" 2>&1 3>&- </dev/null
      echo $? >&3
    } | LC_ALL=C sed "s/^/$prefix/" >&2
  } 3>&1)
  if find_node; then
    told="Node $version is installed at $(command -v "$node")"
    ! in_container || told="$told. It goes with this container: when that is made anew, run this task again"
    tell i "$told"
    answer output "$told"
  fi
  [ "$code" = 0 ] || fail "It failed with exit status $code; its own lines are in the log, at level debug: $how"
  fail "What this system installs is too old (${old:-none}): $otherwise"
}

# ---- answers ----

# A line of Stash's log protocol, or plain at a shell.
tell() {
  if [ "$is_stash" = yes ]; then
    printf '\001%s\002%s\n' "$1" "$(one_line "$2")" >&2
  else
    printf '%s\n' "$(one_line "$2")" >&2
  fi
}

# The one JSON document, and the end.
answer() {
  if [ "$is_stash" = yes ]; then
    printf '{"%s":"%s"}\n' "$1" "$(one_line "$2" | LC_ALL=C sed 's/[\\"]/\\&/g')"
  else
    printf '%s\n' "$(one_line "$2")"
  fi
  exit 0
}

# No exit code towards Stash: it has the document.
fail() {
  tell e "$1"
  [ "$is_stash" = yes ] || exit 1
  answer error "$1"
}

# Names of files may hold anything.
one_line() { printf '%s' "$1" | LC_ALL=C tr '\001-\037\177' ' '; }
