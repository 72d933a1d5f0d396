# The symbolic links in the folder that `list` went to, a line each: `link`, device, inode, size and time of the last
# change of the file that it leads to, and its name; or `nowhere` in place of `link`, for one that leads to nothing, and
# `other` for one that leads to no regular file.
links() {
    set +f
    for name in ./* ./.*; do
        [ -L "$name" ] || continue
        case $name in *"$nl"*) continue ;; esac
        if [ -f "$name" ]; then
            stat -L -c 'link %d %i %s %y %n' "$name" 2>/dev/null
        elif [ ! -e "$name" ]; then
            stat -c 'nowhere %d %i %s %y %n' "$name" 2>/dev/null
        else
            stat -c 'other %d %i %s %y %n' "$name" 2>/dev/null
        fi
    done
    set -f
    return 0
}
