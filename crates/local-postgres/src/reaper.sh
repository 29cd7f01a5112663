# Waits until nobody uses the cluster any more, then stops PostgreSQL.
# $1: the cluster's folder, $2: `keep` or `remove`, $3: the folder of its socket.
# Runs as the account that runs PostgreSQL, so it can signal and remove only what is that account's.
home=$1 fate=$2 socket=$3 data=$1/cluster

# Its first reader may be gone before it speaks, and a closed terminal is not its business.
trap '' HUP INT PIPE

# Not every sleep takes fractions of a second.
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
        # A zombie is dead. The name in parentheses may hold anything, so look behind it.
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

# Signals the server and waits a number of ticks for its end.
stop() {
    left=$2
    kill -s "$1" "$pid" || return
    while alive "$pid"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        tick
    done
}

# Ends what still runs in a data folder that somebody has removed, and so has no pid file any more.
end_strays() {
    for process in /proc/[0-9]*; do
        read -r name <"$process/comm" || continue
        [ "$name" = postgres ] || continue
        [ "$(readlink "$process/cwd")" = "$data (deleted)" ] && kill -s QUIT "${process#/proc/}"
    done
}

forget_socket() {
    rm -f "$socket/.s.PGSQL.5432" "$socket/.s.PGSQL.5432.lock"
    rmdir "$socket"
}

cd / || exit
exec 8<"$home/reaper.lock" 9<"$home/users.lock" || exit

# The program that waits gets only the lock it waits for: were this shell killed, the other would stay taken.
lock 8 9<&- || exit
echo ready
exec >/dev/null
until lock 9 8<&-; do tick; done

# Somebody has removed the folder. What may be in its place by now has a reaper of its own.
if [ -e /proc/self/fd/9 ] && ! [ /proc/self/fd/9 -ef "$home/users.lock" ]; then
    end_strays
    [ -e "$home" ] || forget_socket
    exit
fi

# Whoever started PostgreSQL may have been killed before it wrote its pid file.
left=100
while [ -e "$home/starting" ] && [ "$left" -gt 0 ] && ! server; do
    left=$((left - 1))
    tick
done

if server; then stop INT 3000 || stop QUIT 250 || stop KILL 250; fi
[ -e "$data" ] || end_strays
forget_socket

if [ "$fate" = remove ]; then
    # Renamed first: whoever comes now makes a folder of its own, which must not be swept away with this one.
    doomed=$home.gone.$$
    mv "$home" "$doomed"
    left=250
    until rm -rf "$doomed" || [ "$left" -le 0 ]; do
        left=$((left - 1))
        tick
    done
fi

# In this order: who gets the second lock must find the first one free.
exec 8<&-
exec 9<&-
