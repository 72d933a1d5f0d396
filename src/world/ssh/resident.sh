for tool in setsid mkdir sync head tail wc ln rm cat; do
    command -v "$tool" >/dev/null || { echo "baton lacks $tool"; exit 1; }
done
get
jobs=${field:-$HOME/.baton}
born self
self=$born entered=
echo "baton agent $boot"
while read -r word run job a b c d; do
    base=$jobs/$run/$job
    case $word in
    start) number=$a secret=$b aside=$c count=$d && start ;;
    look) look; echo "$state" ;;
    output) stream=$a from=$b want=$c && output ;;
    end) number=$a && end_job ;;
    lease) show_lease ;;
    take) number=$a && take_lease ;;
    release) number=$a && release_lease ;;
    *) exit 1 ;;
    esac
done
