# Makes part $3 the file $4 with mode $5, durably; a file that is there is only replaced with `over` as $6. Where part and
# file are the same, only the mode is set. Refuses without lease $2.
main() {
    admitted "$1" "$2" || return 5
    shift 2
    if [ ! -f "$1" ] || [ -L "$1" ]; then echo "\`$1\` is not there any more" >&2; return 3; fi
    chmod "$3" "$1" && sync "$1" || return 4
    [ "$1" != "$2" ] || return 0
    if [ -L "$2" ]; then echo "\`$2\` is a symbolic link, which is not followed" >&2; return 4; fi
    if [ -d "$2" ]; then echo "\`$2\` is a folder" >&2; return 4; fi
    if [ "$4" = over ]; then
        mv -f "$1" "$2" || return 4
    else
        # Unlike a rename it fails when somebody else has made the file in the meantime.
        ln "$1" "$2" && rm -f "$1" || return 4
    fi
    sync "${2%/*}/"
}
