# SPDX-License-Identifier: MIT
#
# What zsh offers behind a command line: the words, one on each line.
#
#	zsh -f tests/zsh_words.zsh 'takeoverctl maintenance '
#
# An interactive zsh of its own with our completion; Tab is sent to it, and it
# says what would be added.

zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= PS2= PROMPT_EOL_MARK=; stty -echo; fpath=($PWD/units/completions \$fpath)
autoload -U compinit; compinit -u -D
compadd()
{
	local -a found
	if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
		builtin compadd \"\$@\"
		return
	fi
	builtin compadd -O found \"\$@\"
	print -rl -- \$'\\1'\${^found}
}
tab()
{
	zle complete-word
	print -r -- \$'\\2'
	exit
}
zle -N tab; bindkey '^I' tab; print -r -- \$'\\3'"
zpty -r shell line $'*\3\r\n*' 
zpty -n -w shell "$1"$'\t'
zpty -r shell line $'*\2*'
print -r -- "$line" | tr -d '\r' | sed -n $'s/.*\1//p'
zpty -d shell
