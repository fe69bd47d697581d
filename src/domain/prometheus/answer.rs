//! What becomes of an upstream's answer under a filter. Its errors, warnings and the like can quote the rewritten query, and
//! with it the filter: they stay behind.

use super::remote_read::ReadAnswer;

/// What to do with an answer.
#[derive(Clone, Debug)]
pub enum AnswerRule {
    /// It is passed on, errors too.
    Unchanged,
    /// A good answer is passed on, an error is replaced.
    Body,
    /// Of a good answer the [`Members`] that carry data are passed on, an error is replaced.
    Members,
    /// A good answer is read by [`ReadAnswer::merge`], an error is replaced.
    Read(ReadAnswer),
}

impl AnswerRule {
    /// Whether the upstream's errors must not reach the caller.
    #[must_use]
    pub const fn hides_errors(&self) -> bool {
        !matches!(self, Self::Unchanged)
    }

    /// Whether the answer is read on its way, and so must not be compressed.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        matches!(self, Self::Members | Self::Read(_))
    }
}

/// The members at the top of an answer that are passed on. `isPartial` and `stats` are VictoriaMetrics'. Not among them are
/// `warnings`, `infos`, `error`, and whatever a later version adds.
const KEPT: [&str; 4] = ["status", "data", "isPartial", "stats"];

/// An answer that is no JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's answer is no JSON object")]
pub struct NoObject;

/// Passes the members of a JSON object on that carry data, piece by piece as they arrive, without holding them.
///
/// Only the outermost level is understood; what a kept member holds is passed on byte by byte.
#[derive(Debug, Default)]
pub struct Members {
    place: Place,
    key: Vec<u8>,
    kept: bool,
    first: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Before,
    /// Before a key or, if nothing came yet, the end.
    BeforeKey {
        may_end: bool,
    },
    Key {
        escaped: bool,
    },
    AfterKey,
    BeforeValue,
    Value {
        depth: u32,
        text: Text,
    },
    After,
}

/// Inside or outside of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    No,
    Yes,
    Escaped,
}

/// A key that is longer is none of those that are passed on.
const MOST_KEY: usize = 16;

impl Members {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self { first: true, ..Self::default() }
    }

    /// Takes the next piece and adds what is passed on of it.
    ///
    /// # Errors
    /// [`NoObject`]: the answer has to be cut off.
    pub fn push(&mut self, piece: &[u8], passed: &mut Vec<u8>) -> Result<(), NoObject> {
        let mut at = 0;
        while at < piece.len() {
            if let Place::Value { depth, text } = self.place {
                at += self.value(&piece[at..], depth, text, passed)?;
            } else {
                self.between(piece[at], passed)?;
                at += 1;
            }
        }
        Ok(())
    }

    /// Says that there are no more pieces.
    ///
    /// # Errors
    /// [`NoObject`], if the object is not complete.
    pub fn finish(&self) -> Result<(), NoObject> {
        if self.place == Place::After { Ok(()) } else { Err(NoObject) }
    }

    /// One byte outside of values.
    fn between(&mut self, byte: u8, passed: &mut Vec<u8>) -> Result<(), NoObject> {
        let space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.place = match (self.place, byte) {
            (Place::Key { escaped: false }, b'"') => {
                self.kept = is_kept(&self.key);
                Place::AfterKey
            }
            (Place::Key { escaped }, _) => {
                // One byte more than can be a known key is enough to tell that it is none.
                if self.key.len() <= MOST_KEY {
                    self.key.push(byte);
                }
                Place::Key { escaped: byte == b'\\' && !escaped }
            }
            (place, _) if space => place,
            (Place::Before, b'{') => {
                passed.push(b'{');
                Place::BeforeKey { may_end: true }
            }
            (Place::BeforeKey { .. }, b'"') => {
                self.key.clear();
                Place::Key { escaped: false }
            }
            (Place::BeforeKey { may_end: true }, b'}') => {
                passed.push(b'}');
                Place::After
            }
            (Place::AfterKey, b':') => Place::BeforeValue,
            (Place::BeforeValue, byte) if !matches!(byte, b',' | b'}' | b']' | b':') => {
                if self.kept {
                    if !self.first {
                        passed.push(b',');
                    }
                    self.first = false;
                    passed.push(b'"');
                    passed.extend_from_slice(&self.key);
                    passed.extend_from_slice(b"\":");
                    passed.push(byte);
                }
                match byte {
                    b'{' | b'[' => Place::Value { depth: 1, text: Text::No },
                    b'"' => Place::Value { depth: 0, text: Text::Yes },
                    _ => Place::Value { depth: 0, text: Text::No },
                }
            }
            _ => return Err(NoObject),
        };
        Ok(())
    }

    /// As much of a value as there is; answers how many bytes that was.
    fn value(&mut self, piece: &[u8], mut depth: u32, mut text: Text, passed: &mut Vec<u8>) -> Result<usize, NoObject> {
        let mut end = None;
        for (at, byte) in piece.iter().enumerate() {
            text = match (text, byte) {
                (Text::Yes, b'\\') => Text::Escaped,
                (Text::Yes, b'"') => Text::No,
                (Text::Escaped | Text::Yes, _) | (Text::No, b'"') => Text::Yes,
                (Text::No, b'{' | b'[') => {
                    depth = depth.checked_add(1).ok_or(NoObject)?;
                    Text::No
                }
                (Text::No, b',' | b'}') if depth == 0 => {
                    end = Some(at);
                    break;
                }
                (Text::No, b'}' | b']') => {
                    depth = depth.checked_sub(1).ok_or(NoObject)?;
                    Text::No
                }
                (Text::No, _) => Text::No,
            };
        }
        if self.kept {
            passed.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
        }
        let Some(end) = end else {
            self.place = Place::Value { depth, text };
            return Ok(piece.len());
        };
        self.place = if piece[end] == b',' {
            Place::BeforeKey { may_end: false }
        } else {
            passed.push(b'}');
            Place::After
        };
        Ok(end + 1)
    }
}

/// Whether a key names a member that is passed on. One that is written with escapes is not known.
fn is_kept(key: &[u8]) -> bool {
    KEPT.iter().any(|kept| kept.as_bytes() == key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn passed(pieces: &[&[u8]]) -> Result<String, NoObject> {
        let (mut members, mut passed) = (Members::new(), Vec::new());
        for piece in pieces {
            members.push(piece, &mut passed)?;
        }
        members.finish()?;
        Ok(String::from_utf8(passed).expect("UTF-8"))
    }

    /// SECURITY 25: warnings and infos quote the query as it was rewritten.
    #[test]
    fn sec_25_warnings_and_infos_stay_behind() {
        let answer =
            r#"{"status":"success","warnings":["{team=\"a\"}"],"data":{"warnings":[1,"}"],"result":[]},"infos":["]"]}"#;
        let wanted = r#"{"status":"success","data":{"warnings":[1,"}"],"result":[]}}"#;
        assert_eq!(passed(&[answer.as_bytes()]).unwrap(), wanted);
        for dropped in [
            r#"{"w\u0061rnings":["x"]}"#,
            r#"{"error":"x"}"#,
            r#"{ "trace" : {"a":"x"} , "infos" : "x"}"#,
            "{}",
            " { }\n",
        ] {
            assert_eq!(passed(&[dropped.as_bytes()]).unwrap(), "{}", "{dropped}");
        }
    }

    #[test]
    fn spaces_between_members_do_not_matter() {
        let answer = "\n{ \"infos\" : [ ] ,\t\"status\" : \"a , }\" , \"data\" : -1.5e3 }\r\n";
        let value: Value = serde_json::from_str(&passed(&[answer.as_bytes()]).unwrap()).unwrap();
        assert_eq!(value, json!({"status": "a , }", "data": -1500.0}));
    }

    #[test]
    fn what_is_no_object_is_cut_off() {
        for bad in [
            "",
            "[]",
            "null",
            "x{}",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":}",
            "{\"a\" 1}",
            "{}x",
            "{\"a\":1]}",
            "{,}",
            "{\"a\":\"}",
        ] {
            assert_eq!(passed(&[bad.as_bytes()]), Err(NoObject), "{bad}");
        }
    }

    #[test]
    fn rules_say_what_they_read() {
        assert!(!AnswerRule::Unchanged.hides_errors() && AnswerRule::Body.hides_errors());
        assert!(AnswerRule::Members.is_read() && !AnswerRule::Body.is_read());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            "[{}\\[\\]\",\\\\:]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map(key(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("warnings".to_owned()),
            Just("infos".to_owned()),
            Just("data".to_owned()),
            Just("status".to_owned()),
            ".*",
        ]
    }

    proptest! {
        #[test]
        fn members_are_those_of_a_parser_however_the_answer_is_cut(
            object in proptest::collection::hash_map(key(), value(), 0..8),
            pretty in any::<bool>(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let object: Map<String, Value> = object.into_iter().collect();
            let text = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).chain([0, text.len()]).collect();
            ends.sort_unstable();
            let pieces: Vec<&[u8]> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let kept: Map<String, Value> =
                object.into_iter().filter(|(key, _)| KEPT.contains(&key.as_str())).collect();
            let found: Map<String, Value> = serde_json::from_str(&passed(&pieces).unwrap()).unwrap();
            prop_assert_eq!(found, kept);
        }

        #[test]
        fn nothing_panics(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..30), 0..6)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let (mut members, mut passed) = (Members::new(), Vec::new());
            let _ = pieces.iter().try_for_each(|piece| members.push(piece, &mut passed));
        }
    }
}
