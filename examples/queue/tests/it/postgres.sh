# A PostgreSQL of its own, in a folder of its own, until the input of this script ends: so it does
# not outlive the test, however that ends. Prints the folder, which has the socket.
#
#     sh postgres.sh <folder of initdb and pg_ctl>
set -eu
folder=$(mktemp -d)
stop() {
    "$1/pg_ctl" stop --pgdata "$folder/data" --mode immediate >>"$folder/log" 2>&1 || true
    rm -rf "$folder"
}
trap 'stop "$1"' EXIT
trap 'exit 1' HUP INT TERM
{
    "$1/initdb" --pgdata "$folder/data" --auth trust --username pagestream --no-sync
    # No TCP. What a crash of the machine would lose does not matter here.
    settings="-c listen_addresses= -c fsync=off -c synchronous_commit=off -k $folder"
    "$1/pg_ctl" start --pgdata "$folder/data" --wait --options "$settings" --log "$folder/server"
} >"$folder/log" 2>&1 || { cat "$folder/log" "$folder/server" >&2; exit 1; }
echo "$folder"
cat >/dev/null
