#!/usr/bin/env bash
# Single steps of sync.sh, word for word, for comparison with the single phases.
#
#   steps.sh logs|branch|notes|messages NOTES-REF SINCE      in the repository
set -u
step=$1 notes=$2 since=$3

logs() {
  git status --porcelain | grep -E '\bsession-logs/.*\.md$' | grep -v '^\s*D '
  return 0
}

branch() {
  local branch before after
  branch=$(git symbolic-ref --short HEAD) || return 1
  if [[ -n $(git status --porcelain) ]]; then
    git add -A && git commit -q -m "sync: auto-sync from $(hostname) at $(date '+%Y-%m-%d %H:%M:%S')" || return 1
  fi
  git fetch -q origin || return 1
  before=$(git rev-parse HEAD)
  if git rev-parse -q --verify "origin/$branch" >/dev/null; then
    git rebase -q "origin/$branch" || return 4
  fi
  after=$(git rev-parse HEAD)
  git log --format='%h %an %s' "$before..$after" --
  if [[ $(git rev-list --count "origin/$branch..HEAD" 2>/dev/null || echo 1) != 0 ]]; then
    git push -q origin "$branch"
  fi
}

notes() {
  local base tracking theirs ours
  base=${notes%/*}
  tracking=refs/notes/origin/${base#refs/notes/}
  git fetch -q origin "+$base/*:$tracking/*" || return 1
  for theirs in $(git for-each-ref --format='%(refname)' "$tracking"); do
    ours=$base/${theirs#"$tracking"/}
    if git rev-parse -q --verify "$ours" >/dev/null; then
      git notes --ref "$ours" merge -q -s cat_sort_uniq "$theirs" || return 1
    else
      git update-ref "$ours" "$theirs"
    fi
  done
  git push -q origin "$base/*:$base/*"
}

messages() {
  git diff --name-only --diff-filter=AM "$since" HEAD -- '*session-logs/*.md' | while read -r file; do
    awk -v user=mike '
      /^## / { on = 0 }
      tolower($0) ~ "^## (note|message) for " tolower(user) { on = 1 }
      on' "$file"
  done
}

"$step"
