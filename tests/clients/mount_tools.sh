#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tar, rsync, git, sqlite3, make and an editor's save on a mounted bucket, unmodified.
# usage: mount_tools.sh BUILD     AISFS_TEST_FILES=N files of the tree (1000; the goal is 20000)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
FILES=${AISFS_TEST_FILES:-1000}

# A real tree with what trees have: headers and documents, symlinks, several modes, old times.
make_source_tree() {
  mkdir -p "$WORK/src"
  (cd / && find usr/include usr/share/doc \( -type f -size -512k -o -type l \) -print | sort |
    awk -v n="$FILES" 'NR <= n' >"$WORK/names" && tar cf "$WORK/tree.tar" --no-recursion -T "$WORK/names")
  tar xf "$WORK/tree.tar" -C "$WORK/src"
  chmod 755 "$(find "$WORK/src" -type f | head -n 1)"
}

# Names, types, modes, owners, sizes, times to the nanosecond, link targets.
listing() { (cd "$1" && find . -mindepth 1 \( -type d -printf '%y %m %U:%G %P\n' -o -printf '%y %m %U:%G %s %T@ %l %P\n' \) | sort -k5); }
same_tree() { diff -r --no-dereference "$1" "$2" && diff <(listing "$1") <(listing "$2"); }

untar() {
  tar cf "$WORK/src.tar" -C "$WORK/src" . && mkdir -p "$MOUNT/demo/tar" && tar xpf "$WORK/src.tar" -C "$MOUNT/demo/tar"
}
untarred_is_equal() { same_tree "$WORK/src" "$MOUNT/demo/tar"; }
tar_back() { tar cf - -C "$MOUNT/demo/tar" . | tar xpf - -C "$(mkdir -p "$WORK/back" && echo "$WORK/back")" && same_tree "$WORK/src" "$WORK/back"; }

rsync_in() { rsync -a "$WORK/src/" "$MOUNT/demo/rsync/" && same_tree "$WORK/src" "$MOUNT/demo/rsync"; }
rsync_again() { test -z "$(rsync -ai "$WORK/src/" "$MOUNT/demo/rsync/" | grep -v '^\.d..t' || true)"; }
rsync_out() { rsync -a "$MOUNT/demo/rsync/" "$WORK/out/" && same_tree "$WORK/src" "$WORK/out"; }
remount_keeps_all() { remount && same_tree "$WORK/src" "$MOUNT/demo/tar"; }

# In subshells: a clone that failed must not leave the rest to work in this repository.
git_work() {
  local origin=$WORK/origin
  git init -q "$origin" && cp -r "$WORK/src/usr/include" "$origin/" || return 1
  (cd "$origin" && git add -A && git_commit first) || return 1
  git clone -q "$origin" "$MOUNT/demo/clone" || return 1
  (
    cd "$MOUNT/demo/clone" && test -z "$(git status --porcelain)" &&
      echo change >>new.txt && git add -A && git_commit second && git gc -q && git fsck --full &&
      test "$(git log --oneline | wc -l)" = 2
  )
}
# Without gc.auto=0 git packs many objects in the background while the clone copies them.
git_commit() { git -c gc.auto=0 -c user.name=test -c user.email=test@localhost commit -qm "$1"; }

sqlite_work() {
  local db=$MOUNT/demo/test.db rows=${AISFS_TEST_ROWS:-16384}  # of 4 KiB: 64 MiB
  sqlite3 "$db" "create table t(id integer primary key, body blob);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < $rows)
    insert into t select i, randomblob(4000) from n;
    create index by_body on t(substr(body, 1, 8)); update t set body = randomblob(100) where id % 7 = 0;"
  test "$(sqlite3 "$db" 'pragma integrity_check; select count(*) from t')" = "ok
$rows"
}

make_work() {
  local dir=$MOUNT/demo/project i
  mkdir -p "$dir" && for i in 1 2 3 4 5; do echo "int f$i(void) { return $i; }" >"$dir/f$i.c"; done
  echo 'int f1(void); int f5(void); int main(void) { return f1() + f5() - 6; }' >"$dir/main.c"
  printf 'prog: main.o f1.o f2.o f3.o f4.o f5.o\n\tcc -o $@ $^\n' >"$dir/Makefile"
  make -C "$dir" -j2 && "$dir/prog" && make -C "$dir" -q
}

# As vim does: keep a backup, write the new text under another name, rename over.
editor_save() {
  local file=$MOUNT/demo/text
  echo old >"$file" && exec 7<"$file"
  cp -p "$file" "$file~" && echo new >"$MOUNT/demo/4913" && mv "$MOUNT/demo/4913" "$file"
  test "$(<"$file")" = new && test "$(cat <&7)" = old && rm "$file~" && exec 7<&-
}

directories() {
  mkdir -p "$MOUNT/demo/d/a/b" && echo x >"$MOUNT/demo/d/a/b/f" && mv "$MOUNT/demo/d/a" "$MOUNT/demo/d/z"
  test "$(cat "$MOUNT/demo/d/z/b/f")" = x && ! test -e "$MOUNT/demo/d/a" && ! rmdir "$MOUNT/demo/d"
  rm -r "$MOUNT/demo/d" && ! test -e "$MOUNT/demo/d"
}

readme_commands() { cp -r "$REPO/README.md" "$REPO/man" "$MOUNT/demo/" && diff -r "$REPO/man" "$MOUNT/demo/man"; }
remove_all() { rm -rf "$MOUNT/demo/tar" "$MOUNT/demo/rsync" "$MOUNT/demo/clone" && ! ls "$MOUNT/demo/tar"; }

start_playground "$1"
make_source_tree
step "the README's cp" readme_commands
step "tar x of $(find "$WORK/src" ! -type d | wc -l) files" untar
step "equal, with modes, owners, times and links" untarred_is_equal
step "tar c | tar x back is equal" tar_back
step "rsync -a in, equal" rsync_in
step "rsync -ai again transfers nothing" rsync_again
step "rsync -a out, equal" rsync_out
step "git clone, commit, gc, fsck" git_work
step "sqlite3: create, insert, update, integrity_check" sqlite_work
step "make -j2 of a C project, nothing to redo" make_work
step "an editor's save keeps the old text for its readers" editor_save
step "mkdir, mv and rm of directories" directories
step "down and up keep everything" remount_keeps_all
step "rm -rf" remove_all
