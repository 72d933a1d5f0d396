# Makes part $1 the file $2 with mode $3, durably; a file that is there is only replaced with `over` as $4, and hands on
# its owner, its group and its attributes. Where part and file are the same, only the mode is set. Refuses without the
# lease $number.
install_file() {
    is_leased || return 5
    enter "$2" || return 3
    part=./${1##*/}
    if [ "$part" = "$name" ]; then
        if [ ! -e "$name" ] && [ ! -L "$name" ]; then echo "\`$2\` is not there any more" >&2; return 3; fi
        replaceable "$name" "$2" && chmod "$3" "$name" && sync "$name" || return 4
        return 0
    fi
    if [ ! -e "$part" ]; then echo "\`$1\` is not there any more" >&2; return 3; fi
    # The long part of it comes first, as long as the part is still one that can be gone on with.
    ours "$part" && sync "$part" || return 4
    if ! take_place "$@"; then
        # It may have the owner and the mode of the file by now: nobody would know it again.
        rm -f "$part"
        return 4
    fi
    sync .
}

# Gives part $part of ours what file $name hands on, and its name; the arguments are those of `install_file`.
take_place() {
    if [ "$4" = over ] && { [ -e "$name" ] || [ -L "$name" ]; }; then
        replaceable "$name" "$2" && keep "$part" "$name" "$2" || return 1
    elif [ -e "$name" ] || [ -L "$name" ]; then
        echo "\`$2\` is there already" >&2
        return 1
    fi
    chmod "$3" "$part" && sync "$part" || return 1
    if [ "$4" = over ]; then
        mv -f "$part" "$name"
    else
        # Unlike a rename it fails when somebody else has made the file in the meantime.
        ln "$part" "$name" && rm -f "$part"
    fi
}
