# Writes $5 bytes of its input into part $3 from byte $4 on; whatever was behind them goes. What has the name and is no
# part of ours stays as it is. Refuses without lease $2.
main() {
    admitted "$1" "$2" || return 5
    shift 2
    enter "$1" || return 3
    if [ "$2" = 0 ]; then
        if [ -e "$name" ] || [ -L "$name" ]; then ours "$name" && rm -f "$name" || return 4; fi
        (umask 077 && set -C && : >"$name") || return 4
    fi
    if [ ! -e "$name" ]; then echo "\`$1\` is not there any more" >&2; return 3; fi
    ours "$name" || return 4
    size=$(stat -c %s "$name") || return 4
    if [ "$size" -lt "$2" ]; then echo "\`$1\` is shorter than it was" >&2; return 3; fi
    if [ "$size" -gt "$2" ]; then truncate -s "$2" "$name" || return 4; fi
    head -c "$3" >>"$name" || return 4
    [ "$(stat -c %s "$name")" = "$(($2 + $3))" ] || { echo "cannot write all of \`$1\`" >&2; return 4; }
}
