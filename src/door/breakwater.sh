#!/bin/sh
# What Stash starts for every wake, task and operation. It finds a Node that fits and becomes it: `exec`, so that a
# kill by Stash reaches Node and nothing is left between the two. stdin, the document of Stash, is not touched.
# What happens without one, and `install-node`, are in breakwater-no-node.sh.
# POSIX sh and nothing more: dash, the ash of busybox and bash run it, and macOS has a bash of 2007. No `set -u`: some
# old shells then stop at an empty "$@".

# In front of every absolute path; the tests put a folder of their own here.
root=
here=${0%/*}
[ "$here" != "$0" ] || here=.
data=${BREAKWATER_DATA-}

main() {
  # shellcheck disable=SC2093 # what follows is for where there is no Node
  [ "${1-}" = install-node ] || ! find_node || exec "$node" "$here/breakwater.cjs" "$@"
  # shellcheck source-path=SCRIPTDIR source=breakwater-no-node.sh
  . "$here/breakwater-no-node.sh"
  no_node "$@"
}

# Sets `node` to the first that fits, `old` to the first that is too old.
old=
find_node() {
  named_in "$data"
  named=$line
  named_in "$here"
  for node in "${BREAKWATER_NODE-}" "$named" "$line" node nodejs \
    "$root"/usr/local/bin/node "$root"/usr/bin/node "$root"/usr/bin/nodejs "$root"/opt/bin/node \
    "$root"/opt/homebrew/bin/node "$root"/opt/homebrew/opt/node*/bin/node "$root"/usr/local/opt/node*/bin/node \
    "$root"/opt/local/bin/node "$root"/var/packages/Node.js_v2*/target/usr/local/bin/node \
    "$root"/volume*/@appstore/Node.js_v2*/usr/local/bin/node "${HOME-}"/.nvm/versions/node/*/bin/node \
    "$root"/usr/lib/nodejs/*/bin/node "$root"/usr/local/lib/nodejs/*/bin/node "$root"/snap/bin/node; do
    fits "$node" && return 0
  done
  return 1
}

# The first line of the file `node-path` in a folder, without what an editor of Windows puts at its end.
named_in() {
  line=
  [ -z "$1" ] || [ ! -r "$1/node-path" ] || [ -d "$1/node-path" ] || IFS= read -r line <"$1/node-path"
  line=${line%[[:cntrl:]]}
}

# Is this program a Node, 20.19 or newer? Other programs are named node as well; they answer something else.
fits() {
  case $1 in
    '') return 1 ;;
    */*) [ -x "$1" ] || return 1 ;;
  esac
  version=$("$1" --version 2>/dev/null </dev/null) || return 1
  case $version in
    *[!0-9A-Za-z.+-]*) return 1 ;;
    v[0-9]*.[0-9]*.[0-9]*) ;;
    *) return 1 ;;
  esac
  major=${version%%.*}
  major=${major#v}
  minor=${version#*.}
  minor=${minor%%.*}
  [ "$major" -gt 20 ] 2>/dev/null && return 0
  [ "$major" -eq 20 ] 2>/dev/null && [ "$minor" -ge 19 ] 2>/dev/null && return 0
  old=${old:-$version at $(command -v "$1")}
  return 1
}

main "$@"
