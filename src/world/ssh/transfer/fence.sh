# Whether lease $2 still counts on this host; $1 is the folder of the records, empty for the default one.
admitted() {
    jobs=${1:-$HOME/.baton}
    last_lease
    [ "$lease" = "$jobs/lease/$2" ]
}
