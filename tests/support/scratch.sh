# shellcheck shell=bash
# Sourced by tests/failover/run and tests/pooler/run: a temporary folder with the server to test, and programs that are
# unpacked and run there without being installed. When the script ends, in any way, all processes whose working directory is
# in the folder are killed, and the folder is removed.

# Removes the settings of the caller's own server.
for variable in DATABASE_URL RUST_LOG "${!GRATEFUL_@}" "${!PG@}" "${!PATRONI_@}"; do
  [[ "$variable" == GRATEFUL_BIN ]] || unset "$variable"
done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 LC_ALL=C.UTF-8

home="$(mktemp -d)"
trap 'clean_up; trap - EXIT' EXIT
trap 'exit 130' INT TERM HUP

# PostgreSQL, Patroni and PgBouncer refuse to run as root.
account="$(id -un)"
if [[ "$account" == root ]]; then
  account="$(id -un postgres 2>/dev/null || id -un 65534)"
  chown "$account" "$home"
fi

# Runs a program in the folder, as the account.
as_account() {
  if [[ "$(id -un)" == "$account" ]]; then
    (cd "$home" && exec "$@")
  else
    (cd "$home" && HOME="$home" exec setpriv --reuid "$account" --regid "$(id -g "$account")" --clear-groups "$@")
  fi
}

# The processes whose working directory is in the folder.
own_processes() {
  local process
  for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in "$home" | "$home"/*) echo "${process#/proc/}" ;; esac
  done
}

clean_up() {
  local processes
  cd /
  while processes="$(own_processes)" && [[ -n "$processes" ]]; do
    xargs kill -KILL <<<"$processes" 2>/dev/null || true
    sleep 0.1
  done
  rm -rf "$home"
}

say() {
  echo "── $* ($SECONDS s)"
}

# Builds the server unless `GRATEFUL_BIN` is one, and copies it to where the account can run it.
prepare_server() {
  if [[ -z "${GRATEFUL_BIN:-}" ]]; then
    # Cargo builds this binary for the tests of its package. With all packages, features are those of other test runs.
    cargo test --workspace --locked --no-run --quiet --test tour
    GRATEFUL_BIN="${CARGO_TARGET_DIR:-target}/debug/grateful-under-test"
  fi
  install -m 0755 "$GRATEFUL_BIN" "$home/grateful"
}

# Prints the folder with the programs of the newest PostgreSQL.
find_postgres() {
  local programs
  programs="$(find /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null)" -name initdb 2>/dev/null | sort -V | tail -n 1)"
  [[ -n "$programs" ]] || { echo "PostgreSQL is not installed." >&2 && return 1; }
  dirname "$programs"
}

# Downloads packages of a release of Debian, and unpacks them into a folder.
unpack_debian() {
  local release="$1" folder="$home/$2" package
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main" \
    >"$folder/apt/sources.list"
  local options=(-qq -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o Dir::Etc::SourceParts=- -o Debug::NoLocking=1
    -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache" -o APT::Sandbox::User= -o Acquire::Languages=none)
  apt-get "${options[@]}" update
  (cd "$folder/apt" && apt-get "${options[@]}" download "${@:3}")
  for package in "$folder"/apt/*.deb; do
    dpkg-deb --extract "$package" "$folder"
  done
  rm -r "$folder/apt"
}
