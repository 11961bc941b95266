# SPDX-License-Identifier: Apache-2.0
# bash completion for holdfast(1): commands, and of each what its --help says: words that may come next, options, which
# of these take a file. Where nothing fits, files.

# Words from what is read, that go on as the current one does.
_holdfast_offer() {
	mapfile -t COMPREPLY < <(compgen -W "$(cat)" -- "$1")
}

_holdfast() {
	local current=$2 previous=$3 command=${COMP_WORDS[1]} help

	if [[ $COMP_CWORD -eq 1 || $command == help ]]; then
		_holdfast_offer "$current" < <(holdfast --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p')
		return
	fi
	help=$(holdfast "$command" --help 2>/dev/null)
	if [[ $previous == -* ]] && awk -v option="$previous" '
		/^  -/ { at = $1 ~ /,$/ ? 2 : 1; short = $1; sub(",", "", short) }
		/^  -/ && (option == $at || option == short) && $(at + 1) ~ /^(FILE|OUT|DIR|DB|BUNDLE)/ { found = 1 }
		END { exit !found }' <<<"$help"; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	elif [[ $current == -* ]]; then
		_holdfast_offer "$current" < <(grep -o -- '^  \(-., \)\?--[a-z-]*' <<<"$help" | grep -o -- '--.*')
	elif [[ $command == doctor ]]; then
		_holdfast_offer "$current" < <(ls /sys/class/net 2>/dev/null)
	elif [[ $command == release ]]; then
		_holdfast_offer "$current" < <(holdfast rules --json 2>/dev/null |
			sed -n 's/^ *"\(id\|prefix\)": "\(.*\)",\{0,1\}$/\2/p')
	elif [[ $COMP_CWORD -eq 2 ]]; then
		# "Usage: holdfast claim add INCIDENT ... | list ... | test ID|INCIDENT", or a row "VERB  add, list or remove".
		_holdfast_offer "$current" < <(sed -n "s/^\(Usage:\)\{0,1\} *holdfast $command //p; s/^  VERB  *//p" <<<"$help" |
			sed 's/, \| or /|/g' | tr '|' '\n' | awk '$1 ~ /^[a-z][a-z-]*$/ { print $1 }' | sort -u)
	fi
}

complete -o default -F _holdfast holdfast
