# The regular files of folder $1, a line each: device, inode, size, time of the last change, name. Names with a line
# end in them are left out: nobody could ask for them.
list() {
    { cd -- "$1" && [ -r . ]; } 2>/dev/null || {
        [ -e "$1" ] || return 0
        echo "cannot list \`$1\`: permission denied or not a folder" >&2
        return 2
    }
    set --
    set +f
    for name in * .*; do
        case $name in *"$nl"*) continue ;; esac
        if [ -f "./$name" ] && [ ! -L "./$name" ]; then set -- "$@" "./$name"; fi
        # Some at a time: a shell copies all of its arguments to add one, and a command takes only so many.
        [ "$#" -lt 200 ] || { stat -c '%d %i %s %y %n' "$@" 2>/dev/null; set --; }
    done
    set -f
    [ "$#" = 0 ] || stat -c '%d %i %s %y %n' "$@" 2>/dev/null
    return 0
}
