# Writes $5 bytes of its input into part $3 from byte $4 on; whatever was behind them goes. Refuses without lease $2.
main() {
    admitted "$1" "$2" || return 5
    shift 2
    if [ "$2" = 0 ]; then
        if [ ! -d "${1%/*}/" ]; then echo "there is no folder \`${1%/*}\`" >&2; return 3; fi
        # Whatever has the name of the part goes, so that a link there leads nowhere.
        rm -f "$1" || return 4
        (umask 077 && set -C && : >"$1") || return 4
    fi
    if [ ! -f "$1" ] || [ -L "$1" ]; then echo "\`$1\` is not there any more" >&2; return 3; fi
    size=$(stat -c %s "$1") || return 4
    if [ "$size" -lt "$2" ]; then echo "\`$1\` is shorter than it was" >&2; return 3; fi
    if [ "$size" -gt "$2" ]; then truncate -s "$2" "$1" || return 4; fi
    head -c "$3" >>"$1" || return 4
    [ "$(stat -c %s "$1")" = "$(($2 + $3))" ] || { echo "cannot write all of \`$1\`" >&2; return 4; }
}
