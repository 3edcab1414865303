//! Text that a terminal shows as it is written: no control character acts, no letter changes the direction.
//!
//! Escaped are the controls of C0 and C1, DEL, line and paragraph separators, and everything that changes the
//! direction of writing or cannot be seen; a backslash stands for itself, since most texts have none.
//!
//! Keeps: C-41.

use std::fmt::{self, Write};

/// Shows `text` with everything escaped that would act on a terminal.
pub(crate) fn escaped(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// A text, shown escaped.
#[derive(Debug)]
pub(crate) struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_control() && u32::from(c) < 0x100 => write!(f, "\\x{:02x}", u32::from(c))?,
                c if acts(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether it changes how its neighbours are shown, or hides; control characters act too, and are not among these.
pub(super) fn acts(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c41_nothing_that_acts_on_a_terminal_gets_through() {
        let hostile =
            "\x1b]0;title\x07 a\rb\nc\td \u{9b}31m \u{202e}txt.exe \u{2066}x\u{2069} \u{7f} \0 \u{2028} \u{200b}";
        insta::assert_snapshot!(escaped(hostile), @r"\x1b]0;title\x07 a\rb\nc\td \x9b31m \u{202e}txt.exe \u{2066}x\u{2069} \x7f \x00 \u{2028} \u{200b}");
    }

    #[test]
    fn c41_every_control_character_is_escaped() {
        for code in (0..0x20).chain(0x7f..0xa0) {
            let c = char::from_u32(code).unwrap();
            let shown = escaped(&c.to_string()).to_string();
            assert!(shown.starts_with('\\') && shown.is_ascii(), "{code:#x}");
        }
    }

    #[test]
    fn plain_text_of_any_script_is_left_alone() {
        let text = "Ärger über C:\\tmp — 日本語, עברית";
        assert_eq!(escaped(text).to_string(), text);
    }
}
