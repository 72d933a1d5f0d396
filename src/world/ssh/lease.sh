# The leases of a host, for the agent: a file for each, of which the last by name counts. The rules of taking one are
# not here: whoever asks has read the lease that counts and says which one is to be the next.

# The file of the lease that counts, into $lease; a pattern that fits nothing when there is none.
last_lease() {
    set +f
    for lease in "$jobs"/lease/[0-9]*; do :; done
    set -f
}

# Shows the boot in which the run last began to act here, and the lease that counts.
show_lease() {
    last_boot
    last_lease
    hex=
    if [ -e "$lease" ]; then
        hex=$(od -A n -v -t x1 -N 4096 "$lease" 2>/dev/null) || { refuse "cannot read \`$lease\`"; return; }
    fi
    say "boot ${last:-none} $hex"
}

# Makes the lease named $number with the text that follows, unless another was quicker.
take_lease() {
    get
    enter_run || return
    { printf '%s' "$field" >"$jobs/lease/new.$self.$$" &&
        sync "$jobs/lease/new.$self.$$"; } 2>/dev/null || {
        refuse "cannot write in \`$jobs/lease\`: is the disk full?"
        return
    }
    if ln "$jobs/lease/new.$self.$$" "$jobs/lease/$number" 2>/dev/null; then
        sync "$jobs/lease"
        say taken
    else
        say beaten
    fi
    rm -f "$jobs/lease/new.$self.$$"
}

# Gives back the lease named $number.
release_lease() {
    [ ! -e "$jobs/lease/$number" ] || echo released=yes >>"$jobs/lease/$number"
    say released
}
