# Whether $1, a name in this folder, is a part that the login account began: nobody else's, under no other name, and for
# nobody else to read. Whoever else may write in the folder could have laid it there, and could still change it. Leaves
# its length in $size.
ours() {
    if [ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]; then
        size=$(stat -c '%h %a %s' "$1")
        case $size in "1 "[0-7]00" "*) size=${size##* } && return 0 ;; esac
    fi
    echo "\`$1\` is no part that baton began" >&2
    return 1
}

# Goes into the folder of file $1, so that it stays the same one whatever its name comes to mean, and leaves the name of
# the file in $name.
enter() {
    name=./${1##*/}
    cd "${1%/*}/" 2>/dev/null && return
    echo "there is no folder \`${1%/*}\`" >&2
    return 1
}
