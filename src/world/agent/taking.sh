# Leases, for the agent: shown and taken.

# The boot in which the run last began to act here, before this; and the lease that counts, by its name and its text:
# behind `=` as it is, behind `%` in hexadecimal. Into $known.
know_lease() {
    last_lease
    known="${last:-none} none ="
    [ -e "$lease" ] || [ -L "$lease" ] || return 0
    known="${last:-none} ${lease##*/}"
    if [ ! -f "$lease" ] || [ -L "$lease" ]; then
        refuse "cannot read \`$lease\`: it is no plain file"
        return 1
    fi
    if [ -O "$lease" ] && plain_text "$lease"; then
        known="$known =$told"
        return
    fi
    hex=$(od -A n -v -t x1 -N 4096 "$lease" 2>/dev/null) || {
        # Whoever has taken the next one may have cleared this one away.
        [ -e "$lease" ] || { know_lease; return; }
        refuse "cannot read \`$lease\`"
        return 1
    }
    known="$known %$hex"
}

# Shows the lease that counts.
show_lease() {
    last_boot
    know_lease && say "lease $known"
}

# Makes the lease named $number with the text that follows in $count lines, unless another was quicker: durably, and with
# it that the run acts here.
take_lease() {
    text=
    while [ "$count" -gt 0 ]; do
        get
        text=$text$field$nl
        count=$((count - 1))
    done
    enter_run || return
    [ "$shared" != shared ] || umask 022
    won=no
    set -C
    { { won=yes && printf '%s' "$text" && won=whole; } >"$leases/$number"; } 2>/dev/null
    set +C
    umask 077
    if [ "$won" = no ]; then
        if [ -e "$leases/$number" ]; then say beaten; else refuse "cannot write in \`$leases\`: is the disk full?"; fi
        return
    fi
    if [ "$won" != whole ] || ! settle "$leases/$number" "$leases"; then
        rm -f "$leases/$number"
        [ "$won" = whole ] || refuse "cannot write in \`$leases\`: is the disk full?"
        return
    fi
    # Whoever found it empty for long has passed it over.
    last_lease
    if [ "$lease" != "$leases/$number" ]; then say beaten; return; fi
    say taken
    # Whoever gives it back is in no hurry.
    case $text in *released=yes*) clear_leases ;; esac
}

# Removes lower numbers when they have become many; they do no harm.
clear_leases() {
    set +f
    set -- "$leases"/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]
    set -f
    [ "$#" -gt 8 ] || return 0
    for former in "$@"; do
        # Whoever has taken the next one meanwhile keeps it.
        [ "$former" != "$lease" ] || return 0
        rm -f "$former" 2>/dev/null
    done
}
