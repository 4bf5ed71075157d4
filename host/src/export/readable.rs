//! Indented JSON in which strings contain no character that would control a terminal or deceive a reader.

use std::io::{self, Write};

use dyno_core::text;
use serde::Serialize;
use serde_json::{
    Serializer,
    ser::{Formatter, PrettyFormatter},
};

/// Writes a value as such JSON and a line feed, as it is made: a long document is never held as text.
///
/// # Errors
/// When it cannot be serialised, or `out` fails.
pub(crate) fn write_readable(value: &impl Serialize, out: &mut dyn Write) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Readable::default()))?;
    out.write_all(b"\n").map_err(serde_json::Error::io)
}

/// Formats JSON with an indentation of two spaces, and escapes characters that [`text::visible`] does not allow.
#[derive(Default)]
struct Readable(PrettyFormatter<'static>);

impl Formatter for Readable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if text::is_plain(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        out.write_all(text::json(fragment).as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_pretty_json_with_escapes() {
        let value = json!({"a": [1, {"b": "x\u{202e}\u{1b}[31m\t\u{e0001}é"}], "c\u{7f}": {}, "d": []});
        let mut text = Vec::new();
        write_readable(&value, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, text::json(&serde_json::to_string_pretty(&value).unwrap()) + "\n");
        assert!(text.lines().all(text::is_plain), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
