# $3 bytes of file $1 from byte $2 on.
main() {
    if [ ! -f "$1" ]; then return 3; fi
    if [ ! -r "$1" ]; then echo "cannot read \`$1\`: permission denied" >&2; return 4; fi
    tail -c "+$(($2 + 1))" <"$1" | head -c "$3"
}
