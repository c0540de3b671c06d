//! The files that the expressions may name, the same for both sides: all lie below `f/`.

use std::{fs, path::Path};

const FILES: &[(&str, &[u8])] = &[
    ("x.txt", b"hello\n"),
    ("bare.txt", b"no end"),
    ("empty.txt", b""),
    ("crlf.txt", b"a\r\nb\r\n"),
    ("bom.txt", b"\xef\xbb\xbfbom"),
    ("bytes.bin", b"\x00\xff\xfe\x80"),
    ("zero.txt", b"a\x00b"),
    ("decomposed.txt", "e\u{301}".as_bytes()),
    ("json.json", b"{\"a\": [1, 2]}"),
    ("yaml.yaml", b"a: 1\nb: [x, y]\n"),
    ("table.csv", b"a,b\n1,2\n"),
    (".hidden", b"hidden"),
    ("with space.txt", b"space"),
    ("[b].txt", b"brackets"),
    ("a*b.txt", b"star"),
    ("a-b", b"dash"),
    ("é.txt", b"accent"),
    ("d/a.txt", b"a"),
    ("d/b.json", b"{}"),
    ("d/c.yaml", b"c: 1"),
    ("d/.dot/e.txt", b"e"),
    ("d/e/a.txt", b"a"),
    ("d/e/f/a.txt", b"a"),
    ("d/e/f/g.json", b"{}"),
    ("d2/a.txt", b"a"),
    ("t/plain.tpl", b"text"),
    ("t/name.tpl", b"Hello, ${name}!"),
    ("t/only.tpl", b"${x}"),
    ("t/two.tpl", b"${a} ${b}"),
    ("t/for.tpl", b"%{ for x in xs ~}\n- ${x}\n%{ endfor ~}\n"),
    ("t/map.tpl", b"%{ for k, v in m }${k}=${v};%{ endfor }"),
    ("t/if.tpl", b"%{ if on }on%{ else }off%{ endif }"),
    ("t/upper.tpl", b"${upper(name)} ${length(name)}"),
    ("t/json.tpl", b"${jsonencode({ a = name })}"),
    ("t/self.tpl", b"${templatefile(\"f/t/self.tpl\", {})}"),
    ("t/other.tpl", b"${templatefile(\"f/t/plain.tpl\", {})}"),
    ("t/string.tpl", b"${templatestring(name, {})}"),
    ("t/file.tpl", b"${file(\"f/x.txt\")}"),
    ("t/local.tpl", b"${local.text}"),
    ("t/path.tpl", b"${path.module}"),
    ("t/var.tpl", b"${var.x}"),
    ("t/undefined.tpl", b"${nowhere}"),
    ("t/unclosed.tpl", b"${name"),
    ("t/directive.tpl", b"%{ if true }"),
    ("t/escape.tpl", b"$${name} %%{ if } \\n \"q\""),
    ("t/crlf.tpl", b"%{ if true ~}\r\nx\r\n%{ endif ~}\r\n"),
    ("t/bytes.tpl", b"\xff${name}"),
    ("t/empty.tpl", b""),
    ("t/number.tpl", b"${n + 1}"),
    ("t/list.tpl", b"${xs}"),
    ("t/text_and_list.tpl", b"x${xs}"),
    ("t/null.tpl", b"x${x}"),
    ("t/attr.tpl", b"${o.a.b[0]}"),
    ("t/unused.tpl", b"%{ if false }${nowhere}%{ endif }"),
    ("t/try.tpl", b"${try(name, \"none\")}"),
    ("t/can.tpl", b"${can(x.y)}"),
    ("t/bom.tpl", b"\xef\xbb\xbf${name}"),
    ("t/splat.tpl", b"${join(\",\", xs[*].a)}"),
    (
        "t/nested.tpl",
        b"%{ for x in xs }%{ for y in x }${y}%{ endfor };%{ endfor }",
    ),
    (
        "t/shadow.tpl",
        b"%{ for name in [\"a\"] }${name}%{ endfor }${name}",
    ),
    ("t/strip.tpl", b"a ${~ name ~} b"),
    ("t/sensitive.tpl", b"${sensitive(name)}"),
    ("t/comment.tpl", b"${name /* c */}"),
    ("t/object.tpl", b"${{ a = name }}"),
    ("t/heredoc.tpl", b"${<<E\n${name}\nE\n}"),
];

#[cfg(unix)]
const LINKS: &[(&str, &str)] = &[
    ("link.txt", "x.txt"),
    ("dangling", "gone"),
    ("linked", "d"),
    ("device", "/dev/null"),
    ("loops/again", "../loops"),
];

/// Writes them below a folder.
pub(crate) fn write(folder: &Path) {
    let place = |path: &str| {
        let path = folder.join("f").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    for (path, bytes) in FILES {
        fs::write(place(path), bytes).unwrap();
    }
    fs::create_dir_all(place("nothing/here").parent().unwrap()).unwrap();
    fs::write(place("loops/x.txt"), "x").unwrap();
    #[cfg(unix)]
    for (path, to) in LINKS {
        std::os::unix::fs::symlink(to, place(path)).unwrap();
    }
}
