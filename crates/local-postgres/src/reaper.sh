# Waits until no process uses the cluster any more, then stops PostgreSQL.
# $1: the cluster's directory, $2: `keep` or `remove`, $3: the directory of its socket.
# Runs as the account that runs PostgreSQL, so it can signal and remove only what belongs to that account.
dir=$1 retention=$2 socket=$3 data=$1/cluster

# The process that reads the first line may have exited by then, and a closed terminal must not end the reaper.
trap '' HUP INT PIPE

# Not every `sleep` accepts fractions of a second.
tick() { sleep 0.02 2>/dev/null || sleep 1; }

if command -v flock >/dev/null; then
    lock() { flock "$1"; }
elif command -v perl >/dev/null; then
    lock() { perl -e 'open(LOCK, "<&=", $ARGV[0]) && flock(LOCK, 2) or exit 1' "$1"; }
else
    echo none
    exit 1
fi

alive() {
    if [ -e /proc/self/stat ]; then
        read -r stat <"/proc/$1/stat" || return 1
        # A zombie does not count as alive. The name in parentheses may contain any character, so skip to the last `)`.
        case ${stat##*) } in Z* | X*) return 1 ;; esac
        [ "/proc/$1/cwd" -ef "$data" ]
    else
        case $(ps -o stat= -o comm= -p "$1") in Z*) return 1 ;; *postgres*) ;; *) return 1 ;; esac
    fi
}

server() {
    read -r pid <"$data/postmaster.pid" || return 1
    case $pid in '' | *[!0-9]*) return 1 ;; esac
    alive "$pid"
}

# Sends a signal to the server and waits up to a number of ticks for it to exit.
stop() {
    left=$2
    kill -s "$1" "$pid" || return
    while alive "$pid"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        tick
    done
}

# Ends processes that still run in a removed data directory, and so have no pid file any more.
end_orphans() {
    for process in /proc/[0-9]*; do
        read -r name <"$process/comm" || continue
        [ "$name" = postgres ] || continue
        [ "$(readlink "$process/cwd")" = "$data (deleted)" ] && kill -s QUIT "${process#/proc/}"
    done
}

remove_socket() {
    rm -f "$socket/.s.PGSQL.5432" "$socket/.s.PGSQL.5432.lock"
    rmdir "$socket"
}

cd / || exit
exec 8<"$dir/reaper.lock" 9<"$dir/users.lock" || exit

# The waiting program inherits only the lock it waits for: if this shell is killed, the other lock is released.
lock 8 9<&- || exit
echo ready
exec >/dev/null
until lock 9 8<&-; do tick; done

# The directory was removed. One that has replaced it has its own reaper.
if [ -e /proc/self/fd/9 ] && ! [ /proc/self/fd/9 -ef "$dir/users.lock" ]; then
    end_orphans
    [ -e "$dir" ] || remove_socket
    exit
fi

# The process that started PostgreSQL may have been killed before the server wrote its pid file.
left=100
while [ -e "$dir/starting" ] && [ "$left" -gt 0 ] && ! server; do
    left=$((left - 1))
    tick
done

if server; then stop INT 3000 || stop QUIT 250 || stop KILL 250; fi
[ -e "$data" ] || end_orphans
remove_socket

if [ "$retention" = remove ]; then
    # Renamed first: a process that starts now creates a new directory, which must not be removed with this one.
    doomed=$dir.gone.$$
    mv "$dir" "$doomed"
    left=250
    until rm -rf "$doomed" || [ "$left" -le 0 ]; do
        left=$((left - 1))
        tick
    done
fi

# In this order: the process that gets the second lock must find the first one released.
exec 8<&-
exec 9<&-
