# fish completion of kubectl-safe, for those who call it by this name: kubectl's own completes `kubectl safe`.
# Copy it to ~/.config/fish/completions.

function __kubectl_safe_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
    set -l directive (string replace : '' -- $lines[-1])
    # fish replaces the whole of `--flag=value`, and candidates are values only. It adds no space after a slash.
    set -l flag (string match -r -- '^-[^=]*=' "$word")
    if test "$directive" = 0
        __fish_complete_path (string replace -- "$flag" '' "$word") | string replace -r '^' -- "$flag"
    else
        string replace -r '^' -- "$flag" $lines[1..-2]
    end
end

complete -c kubectl-safe -f -a '(__kubectl_safe_complete)'
