# The folder of one run, for the agent: made, proved to be in nobody else's hands, and known again by its mark, which is
# a word that nobody made before and the file it is in. It knows no jobs.

# Makes the folder of the run, and notes that it acts in this boot before it does: durable, because a claim is not.
enter_run() {
    [ "$entered" = "$run" ] && return
    if ! mkdir -p "$jobs/$run" "$jobs/lease" 2>/dev/null; then
        refuse "cannot make the folder \`$jobs/$run\`: no permission, or a disk that is full or read-only"
        return 1
    fi
    if ! [ -O "$jobs" ] || ! [ -O "$jobs/$run" ]; then
        refuse "keeps \`$jobs\` for another account"
        return 1
    fi
    is_safe || return
    last_boot
    if [ "$last" != "$boot" ]; then
        if ! { echo "$boot" >>"$jobs/$run/boots" && sync "$jobs/$run/boots" "$jobs/$run" "$jobs"; } 2>/dev/null; then
            refuse "cannot write in \`$jobs/$run\`: is the disk full?"
            return 1
        fi
    fi
    entered=$run
}

# The boot in which this run last began to act here, into $last; empty if it never did.
last_boot() {
    last=
    while read -r line; do last=$line; done 2>/dev/null <"$jobs/$run/boots"
}

# Whether nobody but this account and root can put something else in place of what is in the folders, by the same rules
# as on the machine baton runs on: nobody else may write them, and above them only where they cannot touch another's.
is_safe() {
    [ "$safe" = "$run" ] && return
    real=$(cd "$jobs" 2>/dev/null && pwd -P) || { refuse "cannot look at the folder \`$jobs\`"; return 1; }
    set -- "$real/$run" "$real/lease" "$real"
    above=$real
    while above=${above%/*} && [ -n "$above" ]; do set -- "$@" "$above"; done
    set -- "$@" /
    system=$(owner_of /)
    for place in "$@"; do
        [ -e "$place" ] || continue
        access=$(ls -ldn -- "$place" 2>/dev/null) || { refuse "cannot look at the folder \`$place\`"; return 1; }
        judge $access && continue
        refuse "keeps its jobs in a folder that is not safe: $why; look at what is in it, then: $command"
        return 1
    done
    safe=$run
}

# Whether what is on record there, if anything is, can only be ours.
is_trusted() { [ ! -e "$jobs" ] || is_safe; }

# Judges what `ls` says of $place: its access, its links, its owner and its group; what is wrong is in $why, and what
# puts it right in $command.
judge() {
    if ! [ -O "$place" ] && [ "$3" != 0 ] && [ "$3" != "$system" ]; then
        why="\`$place\` belongs to another account, $3" command="chown ${USER:-LOGIN} $place"
        return 1
    fi
    who='anyone there' command="chmod o-w $place"
    case $place in
    "$real" | "$real"/*)
        command="chmod go-w $place"
        # The group of an account by itself, with the number of that account, lets nobody else in.
        case $1 in ?????w??[!w]*) [ "$3" = "$4" ] || { why="its group may change \`$place\`"; return 1; } ;; esac
        case $1 in ????????w*) ;; *) return 0 ;; esac
        ;;
    *) case $1 in ????????w[!tT]*) ;; *) return 0 ;; esac ;;
    esac
    why="$who may change \`$place\`"
    return 1
}

owner_of() {
    set -- $(ls -ldn -- "$1" 2>/dev/null)
    echo "$3"
}

# Makes the mark of the run's folder, of the word $fresh, unless it has one, and tells it.
mark_run() {
    entered=
    enter_run || return
    if ! [ -e "$jobs/$run/mark" ]; then
        # Whole or not at all, and once, whoever else makes one.
        new=$jobs/$run/mark.$fresh
        { echo "$fresh" >"$new" && sync "$new"; } 2>/dev/null && ln "$new" "$jobs/$run/mark" 2>/dev/null
        rm -f "$new"
    fi
    if sync "$jobs/$run" "$jobs" 2>/dev/null && mark_of_run; then
        say "entered $mark_there"
    else
        refuse "cannot write in \`$jobs/$run\`: is the disk full?"
    fi
}

# The mark of the run's folder, into $mark_there; fails where there is none.
mark_of_run() {
    mark_there=
    { read -r word_there; } 2>/dev/null <"$jobs/$run/mark" || return 1
    set -- $(ls -i "$jobs/$run/mark" 2>/dev/null)
    [ -n "$word_there" ] && [ -n "$1" ] || return 1
    mark_there=$word_there:$1
}
