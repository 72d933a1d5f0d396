# What file $2 hands on to part $1, which is to replace it; both are names in this folder, $3 says which file it is.

# Says what cannot be kept.
lost() {
    echo "cannot replace \`$3\` and keep its $4; it is as it was" >&2
    return 1
}

# Refuses a file that somebody else may have laid there for us: in a folder where everybody may make files, one that
# belongs neither to the login account nor to whoever has the folder, or that has another name elsewhere.
replaceable() {
    if [ -L "$1" ]; then echo "\`$2\` is a symbolic link, which is not followed" >&2; return 1; fi
    if [ -d "$1" ]; then echo "\`$2\` is a folder" >&2; return 1; fi
    if [ ! -f "$1" ]; then echo "\`$2\` is no plain file" >&2; return 1; fi
    case $(stat -c %a .) in
    [1357][0-7][2367][0-7] | [1357][0-7][0-7][2367]) ;;
    *) return 0 ;;
    esac
    case $(stat -c '%u %h' "$1") in
    "$(id -u) 1" | "$(stat -c %u .) 1") return 0 ;;
    esac
    echo "\`$2\` is of account $(stat -c %u "$1"), or has another name, in a folder where everybody may make files:" \
        "whoever made it could change what is put there; remove it first" >&2
    return 1
}

# Owner, group, and attributes: access lists and others where the host has a \`cp\` that carries them.
keep() {
    owner=$(stat -c '%u:%g' "$2") || return 1
    if [ "$owner" != "$(stat -c '%u:%g' "$1")" ]; then
        chown -h "$owner" "$1" 2>/dev/null || lost "$@" "owner (account ${owner%:*}, group ${owner#*:})" || return 1
    fi
    case $(cp --help 2>&1) in
    *--attributes-only*)
        cp --attributes-only --preserve=mode,xattr "$2" "$1" >/dev/null 2>&1 || lost "$@" attributes || return 1
        ;;
    *) case $(ls -ld "$2") in ??????????+*) lost "$@" "access list" || return 1 ;; esac ;;
    esac
    [ -e /sys/fs/selinux/enforce ] || return 0
    [ "$(stat -c %C "$2")" = "$(stat -c %C "$1")" ] || chcon -h --reference="$2" "$1" 2>/dev/null ||
        lost "$@" "security context"
}
