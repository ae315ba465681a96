#!/bin/sh
# Packs the program for this platform: dist/samebits-VERSION-TRIPLE.tar.gz.
#
# Data and experiments are inside the program. Beside it stand the licences that it is given under: ours, those of the
# data, and those of the crates that are linked into it, with their texts where cargo has unpacked them.
# On Linux the program wants a C library at least as new as the one of the machine that packs it.
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "error: $1" >&2
    exit 1
}
for tool in cargo rustc; do
    command -v "$tool" >/dev/null || stop "no \`$tool\` on the PATH: install Rust from https://rustup.rs"
done
for tool in tar gzip; do
    command -v "$tool" >/dev/null || stop "no \`$tool\` on the PATH: install your system's package"
done
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target" 2>/dev/null && [ -w "$target" ] || stop "the target folder $target cannot be written: name another one with \`CARGO_TARGET_DIR=FOLDER just dist\`"
mkdir -p dist 2>/dev/null && [ -w dist ] || stop "$PWD/dist cannot be written: make the folder writable"

version=$(cargo pkgid --package experiments | sed 's/.*[#@]//')
triple=$(rustc -vV | sed -n 's/^host: //p')
name=samebits-$version-$triple
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/$name
mkdir -p "$folder/data/licences"

# Only the last step strips: whatever `cargo x` has compiled is used again.
echo "building $name; the first time takes minutes" >&2
cargo rustc --release --locked --package experiments --bin experiments --message-format json-render-diagnostics \
    -- -C strip=symbols >"$work/messages" || stop "the program does not build: the compiler's messages are above"
program=$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$work/messages" | tail -n 1 | sed 's/\\\\/\//g')
[ -f "$program" ] || stop "cargo names no program: run \`cargo build --release --package experiments\` to see why"

# One crate a line: name, version, licence, repository.
cargo tree --locked --package experiments --edges normal,no-proc-macro --target "$triple" --prefix none --no-dedupe \
    --format '{p}	{l}	{r}' | sed 's/ v\([^ 	]*\)[^	]*/ \1/' | grep -v '^\(experiments\|models\|kernels\) ' | sort -u >"$work/crates"
{
    echo "The crates that are linked into this program, and Rust's standard library (MIT OR Apache-2.0,"
    echo "https://github.com/rust-lang/rust): name, version, licence, repository. Their texts follow."
    echo
    cat "$work/crates"
    while read -r crate release _; do
        for text in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$crate-$release"/[LCN][IOC]*; do
            case ${text##*/} in
            LICENSE* | LICENCE* | COPYING* | COPYRIGHT* | NOTICE*)
                [ -f "$text" ] && printf '\n---- %s %s: %s\n\n' "$crate" "$release" "${text##*/}" && cat "$text"
                ;;
            esac
        done
    done <"$work/crates"
} >"$folder/THIRD-PARTY.txt"

cp "$program" README.md LICENSE-MIT LICENSE-APACHE CITATION.cff "$folder"
cp experiments/data/README.md "$folder/data"
cp experiments/data/licences/* "$folder/data/licences"
tar -C "$work" -czf "$work/$name.tar.gz" "$name"
mv "$work/$name.tar.gz" dist || stop "dist/$name.tar.gz cannot be written: make room, or the folder writable"

cd dist
wc -c <"$name.tar.gz" | awk '{ printf "%.1f MB  ", $1 / 1e6 }'
if command -v sha256sum >/dev/null; then sha256sum "$name.tar.gz"; else shasum -a 256 "$name.tar.gz"; fi
