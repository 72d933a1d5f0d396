# The leases of a host: a file for each, of which the last by name counts. The rules of taking one are not here: whoever
# asks has read the lease that counts and says which one is to be the next. A file of a lease is made once and never
# written again, so that nobody else's links and files in a folder that many share can be written through.

# The file of the lease that counts, into $lease; a pattern that fits nothing when there is none.
last_lease() {
    set +f
    for lease in "$leases"/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]; do :; done
    set -f
}

# Whether the host is leased under $number; `-` is whoever needs no lease.
is_leased() {
    [ "$number" != - ] || return 0
    last_lease
    [ "$lease" = "$leases/$number" ]
}
