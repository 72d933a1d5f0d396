# Writes $3 bytes of its input into part $1 from byte $2 on; whatever was behind them goes. What has the name and is no
# part of ours stays as it is. Refuses without the lease $number.
write_block() {
    is_leased || return 5
    enter "$1" || return 3
    if [ "$2" = 0 ]; then
        if [ -e "$name" ] || [ -L "$name" ]; then ours "$name" && rm -f "$name" || return 4; fi
        (umask 077 && set -C && : >"$name") 2>/dev/null || {
            echo "cannot make \`$1\`: no permission, or a disk that is full or read-only" >&2
            return 4
        }
    fi
    if [ ! -e "$name" ]; then echo "\`$1\` is not there any more" >&2; return 3; fi
    ours "$name" || return 4
    if [ "$size" -lt "$2" ]; then echo "\`$1\` is shorter than it was" >&2; return 3; fi
    if [ "$size" -gt "$2" ]; then truncate -s "$2" "$name" || return 4; fi
    {
        head -c "$3" >&6 || return 4
        read -r word_pos end </proc/self/fdinfo/6
    } 6>>"$name"
    [ "$end" = "$(($2 + $3))" ] || { echo "cannot write all of \`$1\`" >&2; return 4; }
}
