# bash completion of kubectl-safe, for those who call it by this name: kubectl's own completes `kubectl safe`.
# Source it, or copy it as `kubectl-safe` to ~/.local/share/bash-completion/completions; it needs bash-completion.

_kubectl_safe() {
    local cur words cword line directive
    # Neither `=` nor `:` ends a word: both stand in flags and in names of contexts.
    _get_comp_words_by_ref -n =: cur words cword || return
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <("${words[0]}" __complete "${words[@]:1:cword}" 2>/dev/null)
    (( ${#COMPREPLY[@]} )) || return
    directive=${COMPREPLY[${#COMPREPLY[@]} - 1]#:}
    unset "COMPREPLY[${#COMPREPLY[@]} - 1]"
    # The bash of macOS has no compopt: it adds a space, or falls back to files.
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    (( directive & 4 )) && compopt +o default 2>/dev/null
    if (( ${#COMPREPLY[@]} == 1 )); then
        # What it means is no part of it.
        COMPREPLY[0]=${COMPREPLY[0]%%$'\t'*}
    else
        _kubectl_safe_describe
    fi
    # Of `--flag=value` bash replaces the value, and of a value with colons what follows the last one.
    [[ $cur == -*=* ]] && cur=${cur#*=}
    __ltrim_colon_completions "$cur"
}

# Show what candidates mean where they are listed; it is no part of what is inserted.
_kubectl_safe_describe() {
    local at name widest=0
    for at in "${!COMPREPLY[@]}"; do
        name=${COMPREPLY[at]%%$'\t'*}
        (( ${#name} > widest )) && widest=${#name}
    done
    for at in "${!COMPREPLY[@]}"; do
        name=${COMPREPLY[at]%%$'\t'*}
        # 63 is `?`, 37 is `%`: the keys that list.
        if [[ ${COMP_TYPE:-9} == 63 && ${COMPREPLY[at]} == *$'\t'* ]]; then
            printf -v name '%-*s  (%s)' "$widest" "$name" "${COMPREPLY[at]#*$'\t'}"
            COMPREPLY[at]=${name:0:${COLUMNS:-80}}
        else
            COMPREPLY[at]=$name
        fi
    done
}

complete -o default -F _kubectl_safe kubectl-safe
