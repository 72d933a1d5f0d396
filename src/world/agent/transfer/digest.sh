# What file $1 holds: its length, its mode, and the SHA-256 of its first $2 bytes, or of all of it for `-`. $3 is what it
# is looked at for: a `source` may be a symbolic link; a `part` must be one that the login account began. Where the host
# can limit it, it takes $4 seconds at the most.
digest_file() {
    if [ "$3" != source ] && [ -L "$1" ]; then echo "\`$1\` is a symbolic link, which is not followed" >&2; return 4; fi
    [ -e "$1" ] || return 3
    if [ -d "$1" ]; then echo "\`$1\` is a folder" >&2; return 4; fi
    if [ ! -f "$1" ]; then echo "\`$1\` is no plain file" >&2; return 4; fi
    if [ "$3" = part ]; then ours "$1" || return 4; fi
    if [ ! -r "$1" ]; then echo "cannot read \`$1\`: permission denied" >&2; return 4; fi
    seen=$(stat -L -c '%s %a' "$1") || return 4
    size=${seen%% *} first=$2
    if [ "$first" = - ]; then first=$size; elif [ "$first" -gt "$size" ] && [ "$size" -gt 65536 ]; then first=$size; fi
    if [ "$first" -gt "$size" ]; then
        # Files that a system makes up say anything of their length: it is counted.
        size=$(head -c "$first" <"$1" | wc -c) || return 4
    fi
    limit=
    if [ "$size" -gt 1048576 ]; then
        # Old ones of busybox want other words.
        limit="timeout $4"
        $limit true 2>/dev/null || limit=
        # What has come goes to the disk meanwhile: whoever makes it the file has to wait for that.
        [ "$3" != part ] || sync "$1" </dev/null >/dev/null 2>&1 3>&- &
    fi
    if [ "$2" = - ]; then sum=$($limit sha256sum <"$1"); else sum=$(head -c "$first" <"$1" | $limit sha256sum); fi ||
        return 4
    echo "$((size)) ${seen#* } ${sum%% *}"
}
