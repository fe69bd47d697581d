//! Secrets from standard input: no command prompts, and none takes a secret as an argument, which `ps` would show.

use std::io::Read;

use zeroize::Zeroizing;

use super::failure::Failure;

const LONGEST: u64 = 16 * 1024;

/// Reads all of standard input and drops one trailing newline.
pub(super) fn read_secret(what: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::refused(format!("can't read the {what} from standard input: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(Failure::refused(format!(
            "standard input is longer than {LONGEST} bytes: expected the {what} alone"
        )));
    }
    let end = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).map_or(text.len(), str::len);
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::refused(format!("standard input is empty: expected the {what}")));
    }
    Ok(text)
}
