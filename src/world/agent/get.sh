# Reads a field into $field: `=` and the text as it is, or `%` and the text with octal escapes.
get() {
    IFS= read -r field || exit 0
    case $field in
    =*) field=${field#=} ;;
    %*) field=$(printf '%b.' "${field#%}") && field=${field%.} ;;
    *) exit 1 ;;
    esac
}
