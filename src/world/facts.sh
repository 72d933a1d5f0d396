# What a host is like, for whoever looks at it before a run. It reads, and writes nothing anywhere. The rules for the
# folder of jobs are those of the agent, whose functions stand before this. $1: the folder of jobs, or nothing for the
# one in the home folder; $2: the folder of its leases, or nothing for the one with the jobs; then the folders whose
# disks matter.
LC_ALL=C
jobs=${1:-$HOME/.baton}
leases=${2:-$jobs/lease}
shift 2
said=
owner_of() {
    set -- $(ls -ldn -- "$1" 2>/dev/null)
    echo "$3"
}
refuse() { said=$1; }
echo "clock $(date +%s.%N)"
echo "home $jobs"

# The folder itself, or the nearest one above it that is there.
there=$jobs
while [ -n "$there" ] && ! [ -e "$there" ]; do there=${there%/*}; done
there=${there:-/}

nl='
'
run=none safe='' checked=
if [ -e "$jobs" ]; then
    if ! [ -d "$jobs" ]; then
        said="\`$jobs\` is no folder"
    elif ! [ -O "$jobs" ]; then
        said="keeps \`$jobs\` for another account"
    elif ! [ -w "$jobs" ] || ! [ -x "$jobs" ]; then
        said="cannot write in \`$jobs\`"
    else
        is_safe
    fi
elif ! [ -d "$there" ] || ! [ -w "$there" ] || ! [ -x "$there" ]; then
    said="cannot make the folder \`$jobs\`: no permission in \`$there\`, or a disk that is read-only"
else
    # None of these is the folder itself: they count as what lies above it.
    real=$jobs
    above=$(cd "$there" && pwd -P)
    system=$(owner_of /)
    while [ -n "$above" ]; do
        place=$above
        access=$(ls -ldn -- "$place" 2>/dev/null)
        judge $access || { said="would keep its jobs in a folder that is not safe: $why; then: $command"; break; }
        above=${above%/*}
    done
fi
[ -z "$said" ] || echo "jobs $said"

# How much room there is where a folder lies, in KiB.
room() {
    of=$1 place=$1
    while [ -n "$place" ] && ! [ -e "$place" ]; do place=${place%/*}; done
    set -f
    set -- $(df -Pk -- "${place:-/}" 2>/dev/null | tail -n 1)
    case $4 in '' | *[!0-9]*) ;; *) echo "room $4 $of" ;; esac
}
for place in "$jobs" "$@"; do room "$place"; done

# The lease that counts, as it is written: nobody takes one here.
set +f
for lease in "$leases"/[0-9]*; do :; done
if [ -r "$lease" ]; then
    while IFS= read -r line; do printf 'lease %s\n' "$line"; done <"$lease"
elif [ -e "$lease" ] || { [ -e "$leases" ] && ! [ -r "$leases" ]; }; then
    echo "veiled $lease"
fi

for tool in setsid stat sync tail head od sha256sum; do command -v "$tool" >/dev/null 2>&1 || echo "lacks $tool"; done
echo end
