# Work on files, for the agent. Each piece is done in a shell of its own, which may go where it likes.

# Carries out a command and answers with what it says and how it ends.
work_on_file() {
    said=$("$@" 2>&1)
    code=$?
    case $code in
    0) say "done $said" ;;
    3) say "missing $(printf '%s' "$said" | od -A n -v -t x1)" ;;
    5) say leased ;;
    *) refuse "$said" ;;
    esac
    return "$code"
}

# What a file holds, looked at as $role: its first $first bytes, in $seconds.
digest() {
    get
    work_on_file digest_file "$field" "$first" "$role" "$seconds" </dev/null
}

# Writes the $length bytes that follow into a part, from byte $at on.
block() {
    get
    # What is not read, because it could not be written, must not be taken for a request.
    work_on_file write_block "$field" "$at" "$length" || exec cat >/dev/null
}

# Makes a part the file.
install() {
    get
    part=$field
    get
    work_on_file install_file "$part" "$field" "$mode" "$over" </dev/null
}
