request=0
get
nonce=$field
get
jobs=${field:-$HOME/.baton}
for tool in setsid mkdir sync od wc ln ls rm; do
    command -v "$tool" >/dev/null || { say "lacks $tool"; exit 1; }
done
born self
self=$born entered= safe=
say "agent $boot"
while read -r request word run job a b c d e; do
    base=$jobs/$run/$job
    # Nothing of a former request is told for this one.
    state='' claimed='' keeper='' kept='' of='' pid='' began='' code='' input='' void='' last='' asked=- kept_in=-
    case $word in
    start) number=$a secret=$b aside=$c asked=$d count=$e && start ;;
    look) asked=$a kept_in=${b:--} && is_trusted && look && say "$state" ;;
    enter) fresh=$a && mark_run ;;
    output) stream=$a from=$b want=$c && output ;;
    end) number=$a && end_job ;;
    lease) show_lease ;;
    take) number=$a && take_lease ;;
    release) number=$a && release_lease ;;
    *) exit 1 ;;
    esac
done
