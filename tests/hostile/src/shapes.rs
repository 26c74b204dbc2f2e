//! Bodies of fields that are hard to parse.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// A shape of a body: repeated items and separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Text before the items.
    before: &'static str,
    /// Item; `#` stands for a number that grows.
    item: &'static str,
    /// Separator of items.
    between: &'static str,
    /// Text after the items.
    after: &'static str,
}

/// Every shape.
const ALL: &[Shape] = &[
    // Lists of addresses.
    list("a#@b.c"),
    list("same@b.c"),
    list("help#@desk.example"),
    list("p#@partner.example"),
    list("Ann # <a#@b.c>"),
    list("\"A, #\" <a#@b.c>"),
    list("noreply#@b#.example"),
    list("<@a,@b:c#@d.e>"),
    list("g#: a@b.c, b@b.c;"),
    list("ü#@bücher.example"),
    list("a#@xn--bcher-kva.example"),
    list("SRS0=aa=bb=c#.d=e@f.g"),
    list("prvs=0123456789=a#@b.c"),
    list("=?utf-8?q?=C3=A9#?= <a#@b.c>"),
    list("a#@b.c (a (b) c)"),
    list("a# @ b . c"),
    list("<a#@b.c"),
    list(""),
    // Unclosed and nested constructs.
    close("\"\\"),
    close("\"\\\"\\"),
    close("\""),
    close("\\"),
    close("("),
    close("()"),
    close("(a"),
    close("<"),
    close("<>"),
    close(">"),
    close("@"),
    close(":"),
    close(";"),
    close("a@"),
    close("[1"),
    close("[1]"),
    close("{"),
    close("=?"),
    close("=?utf-8?q?a?="),
    close("=?utf-8?b?4pyT?= "),
    close("=?utf-8?q?=C3="),
    close("SRS0=a=b=c.d="),
    close("SRS1=a=b.c=="),
    Shape {
        before: "",
        item: "(",
        between: "",
        after: "x@y.z",
    },
    Shape {
        before: "<",
        item: "a",
        between: "",
        after: "@stranger.example>",
    },
    Shape {
        before: "\"",
        item: "a ",
        between: "",
        after: "\"@stranger.example",
    },
    Shape {
        before: "a@",
        item: "b.",
        between: "",
        after: "c",
    },
    // Subjects.
    words("re:"),
    words("Re: "),
    words("AW[2]:"),
    words("[Ticket#1]"),
    words("Automatic reply:"),
    words("out of office"),
    words("# 4711"),
    words("：回复"),
    words("İ"),
    words("ß"),
    // Letters with combining marks in an order that normalisation must change.
    close("a\u{301}\u{323}\u{307}\u{32d}"),
    close("\u{301}"),
    close("\u{1100}\u{1161}\u{11a8}"),
    close("\u{3000}"),
    close("\u{fffd}"),
    close("\u{202e}"),
    // Ids, trace, parameters, words.
    words("<#@x.example>"),
    words("<1@x.example>"),
    words("<"),
    words("by mx.desk.example"),
    words("for <a#@b.c>"),
    words("from a (by b (c)) by d;"),
    words("; a*#=b"),
    words("; charset=\"x\""),
    words("vacation outlook zendesk"),
    words("no,"),
    words("All, OOF;"),
    words("a=b#:c"),
    close("\t"),
    close("x"),
];

const fn list(item: &'static str) -> Shape {
    Shape {
        before: "",
        item,
        between: ", ",
        after: "",
    }
}

const fn words(item: &'static str) -> Shape {
    Shape {
        before: "",
        item,
        between: " ",
        after: "",
    }
}

const fn close(item: &'static str) -> Shape {
    Shape {
        before: "",
        item,
        between: "",
        after: "",
    }
}

impl Shape {
    /// Returns every shape.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// Returns a random shape.
    pub fn any(dice: &mut StdRng) -> Self {
        *ALL.choose(dice).unwrap_or(&ALL[0])
    }

    /// Returns a body of about so many octets.
    pub fn body(self, octets: usize) -> Vec<u8> {
        let mut body = self.before.to_owned();
        let mut number = 0;
        while body.len() < octets {
            if number > 0 {
                body.push_str(self.between);
            }
            body.push_str(&self.item.replace('#', &number.to_string()));
            number += 1;
        }
        body.push_str(self.after);
        body.into_bytes()
    }

    /// Returns such a body with some octets replaced.
    pub fn damaged(self, octets: usize, dice: &mut StdRng) -> Vec<u8> {
        let mut body = self.body(octets);
        for _ in 0..dice.random_range(1..8) {
            let at = dice.random_range(0..body.len().max(1));
            let odd: u8 = dice.random();
            if let Some(octet) = body.get_mut(at)
                && !matches!(odd, 0 | b'\r' | b'\n')
            {
                *octet = odd;
            }
        }
        body
    }
}
